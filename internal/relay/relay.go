package relay

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"kinesyslog/internal/access"
	"kinesyslog/internal/admin"
	"kinesyslog/internal/batch"
	"kinesyslog/internal/config"
	"kinesyslog/internal/journal"
	"kinesyslog/internal/ledger"
	"kinesyslog/internal/listen"
	"kinesyslog/internal/spool"
	"kinesyslog/internal/upload"
	"kinesyslog/internal/vfs"
)

// Relay is a whole relay: listeners, journal, workers, spool and uploader.
type Relay struct {
	cfg *config.Listen
	log *slog.Logger

	registry *prometheus.Registry
	ledger   *ledger.Ledger
	budget   *budget
	reserve  *reserve
	forecast *forecast
	memory   memory
	unlimit  func() // gives Go its own memory limit back

	compression *compression

	lock      *os.File
	local     *local // nil with a real Firehose
	spool     *spool.Spool
	journal   *journal.Journal
	maker     *batch.Maker
	workers   []*handover
	aws       *upload.AWSClient
	identity  *upload.Identity
	uploader  *upload.Uploader
	limits    *listen.Limits
	allowed   *allowed // nil: everybody may send
	listeners []listener
	inherited *inherited
	access    *access.Store // nil without TLS
	admin     *admin.Server // nil if it is off
	stopping  atomic.Bool
}

// Listener tells what is bound.
type Listener struct {
	Name        string // as in metrics: "tls/6514"
	Network     string // "udp", "tcp", "tls", "relp", "relps" or "unix"
	Address     string // with the port, or the path
	TLS         bool
	Fingerprint string // of the certificate, as RFC 5425 writes it; empty without TLS
}

// New takes the spool directory, takes over what an earlier process left in it,
// and binds every address. Nothing is read from a socket before Run. It asks
// nothing of AWS: a relay starts with AWS down. What is delivered with --local
// is reported to out, a line an object. cfg must have been prepared
// (config.Listen.Prepare). With --user the process is that user from then on.
//
// The caller must call Run, which closes everything, or Close.
func New(cfg *config.Listen, logger *slog.Logger, out io.Writer) (_ *Relay, err error) {
	r := &Relay{cfg: cfg, log: logger, registry: prometheus.NewRegistry(), ledger: ledger.New()}
	r.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	if err := cfg.User.While(func() error { return r.openFiles(out) }); err != nil {
		return nil, err
	}
	if err := r.bind(); err != nil {
		return nil, err
	}
	if address := cfg.AdminAddress(); address != "" {
		r.admin, err = admin.New(admin.Options{
			Address: address, Gatherer: r.registry, Ledger: r.ledger,
			Ready: r.notReady, Status: r.status, Samples: r.samples, Version: cfg.Version, Logger: logger,
		})
		if err != nil {
			return nil, err
		}
	}
	if err := r.giveRootUp(); err != nil {
		return nil, err
	}
	return r, nil
}

// openFiles takes the spool directory and opens what lies behind the sockets.
func (r *Relay) openFiles(out io.Writer) (err error) {
	if r.lock, err = lockSpool(r.cfg.SpoolDir); err != nil {
		return err
	}
	r.memory = shareMemory(memoryLimit(), runtime.GOMAXPROCS(0), generationBytes(r.cfg.SpoolMaxBytes))
	r.unlimit = r.memory.lowerMemoryLimit()
	r.budget = newBudget(r.cfg.SpoolMaxBytes, r.memory.generation)
	r.forecast = newForecast(r.budget, r.cfg.FlushIntervalMax)
	r.reserve = newReserve(vfs.OS{}, r.cfg.SpoolDir, r.budget, r.log)
	r.registerDisk()
	r.registerBill()
	if r.cfg.Local != "" {
		if r.local, err = newLocal(r.cfg, r.log, r.registry, out); err != nil {
			return err
		}
	}
	return r.openStages()
}

// openStages opens what lies between the sockets and AWS, from the end to the
// beginning, so that each finds the next one ready.
func (r *Relay) openStages() (err error) {
	if err := r.openUpload(); err != nil {
		return err
	}
	r.journal, err = journal.Open(journal.Options{
		Dir: r.cfg.SpoolDir, Shards: min(runtime.GOMAXPROCS(0), 8), GenerationBytes: r.memory.generation,
		FlushInterval: r.cfg.FlushInterval, SyncInterval: r.cfg.SyncInterval, Published: r.spool.Has,
		FlushIntervalMax: r.cfg.FlushIntervalMax, DocumentBytes: documentBytes, StreamOf: r.cfg.SharedStream(),
		FS: vfs.OS{}, Budget: r.intake(), Ledger: r.ledger, Logger: r.log, Registerer: r.registry,
	})
	if err != nil {
		return err
	}
	r.reserve.open() // what was unfinished is gone by now
	r.compression = newCompression(r.cfg, r.memory.workers, r.journal.Queued, r.log, r.registry)
	r.maker, err = batch.NewMaker(batch.Options{
		GroupPrefix: r.cfg.GroupPrefix, Owner: r.owner, Level: r.compression.Level(), Levels: r.compression.Level, Registerer: r.registry, Logger: r.log,
		Rules: rules(r.cfg),
	})
	if err != nil {
		return err
	}
	for range r.memory.workers {
		c, err := r.maker.New()
		if err != nil {
			return err
		}
		r.workers = append(r.workers, &handover{
			journal: r.journal, spool: r.spool, ledger: r.ledger, converter: c, budget: r.budget, reserve: r.reserve,
			compression: r.compression, log: r.log, counts: map[string]uint64{}, byHost: r.cfg.StreamName == config.ByHost,
		})
	}
	return nil
}

// openUpload opens the spool and the uploader that empties it.
func (r *Relay) openUpload() (err error) {
	r.spool, err = spool.Open(spool.Options{
		Dir: r.cfg.SpoolDir, FS: vfs.OS{}, Ledger: r.ledger, Logger: r.log, Registerer: r.registry, Budget: r.budget,
	})
	if err != nil {
		return err
	}
	options := upload.AWSOptions{
		Region: r.cfg.Region, Profile: r.cfg.Profile, EndpointURL: r.cfg.EndpointURL, RoleARN: r.cfg.RoleARN, Logger: r.log,
	}
	if r.local != nil {
		options = r.local.options(r.log)
	}
	if r.aws, err = upload.NewClient(options); err != nil {
		return err
	}
	r.identity = upload.NewIdentity(r.aws, r.cfg.Stream, r.log)
	r.uploader, err = upload.New(upload.Options{
		Stream: r.cfg.Stream, Queue: queue{r.spool, r.reserve}, Client: r.aws, Logger: r.log, Registerer: r.registry,
		Region: r.aws.Region, Waiting: r.waiting, CallsInFlight: r.memory.calls,
	})
	return err
}

// generationBytes is a journal file's size: large enough that records are full,
// small enough that a worker's memory and a small disk bear it.
func generationBytes(spoolMax int64) int64 { return min(32<<20, max(1<<20, spoolMax/32)) }

// documentBytes is how much text there should be for each record before it is
// made, if --flush-interval-max allows to wait. Text compresses about five to
// one, so that is 10 KiB of record, and rounding up to 5 KiB never adds more
// than half of it, a quarter on average.
const documentBytes = 50 << 10

// owner is the account id for the records made now.
func (r *Relay) owner() string {
	if r.cfg.Owner != "" {
		return r.cfg.Owner
	}
	if id := r.identity.Account(); id != "" {
		return id
	}
	return noOwner
}

// waiting tells the uploader's log lines how much waits.
func (r *Relay) waiting() (records int, bytes int64) {
	s := r.spool.Stats()
	return s.Records, s.Bytes
}

// Listening tells what is bound, in the order of the configuration.
func (r *Relay) Listening() []Listener {
	var out []Listener
	for _, l := range r.listeners {
		out = append(out, l.told)
	}
	return out
}

// AdminAddr is where metrics and status are, or nil if that is off.
func (r *Relay) AdminAddr() net.Addr {
	if r.admin == nil {
		return nil
	}
	return r.admin.Addr()
}

// Run takes and delivers messages until ctx is done, then stops in stages: the
// sockets are closed and what had arrived is read; everything in the journal is
// made into records; they are delivered until --shutdown-timeout has passed.
// What is left waits in the spool for the next start. The error is nil unless
// something failed that stopped the relay.
func (r *Relay) Run(ctx context.Context) error {
	defer r.Close()
	// What comes after the sockets outlives ctx.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()

	var services errgroup.Group
	if r.local != nil {
		services.Go(r.local.serve)
	}
	if r.admin != nil {
		services.Go(func() error { return r.admin.Run(background) })
	}
	if r.local == nil {
		services.Go(func() error { r.identity.Run(background); return nil })
	}
	if r.allowed != nil {
		services.Go(func() error { r.allowed.watch(background); return nil })
	}
	if r.access != nil {
		services.Go(func() error { r.access.Run(background); return nil })
	}
	services.Go(func() error { r.forecast.run(background); return nil })
	services.Go(func() error { (&intakeLog{why: r.intakeStopped, log: r.log}).watch(background); return nil })
	services.Go(func() error { r.compression.run(background); return nil })
	services.Go(func() error { newLull(r.work).watch(background); return nil })
	services.Go(func() error { r.reserve.keep(background, r.makeRoom()); return nil })

	uploading, stopUploading := context.WithCancel(background)
	defer stopUploading()
	var uploads errgroup.Group
	uploads.Go(func() error { return r.uploader.Run(uploading) })

	working, stopWorking := context.WithCancel(background)
	defer stopWorking()
	var workers sync.WaitGroup
	for _, w := range r.workers {
		workers.Go(func() { w.run(working) })
	}

	failure := r.serve(ctx)
	r.stopping.Store(true)

	deadline, cancel := context.WithTimeout(background, r.cfg.ShutdownTimeout)
	defer cancel()
	r.log.Info("no more messages are taken; delivering what is there", slog.Duration("for at most", r.cfg.ShutdownTimeout))
	r.journal.Close()
	context.AfterFunc(deadline, stopWorking)
	workers.Wait()
	stopUploading()
	err := uploads.Wait()
	if drained := r.uploader.Drain(deadline); drained != nil && !errors.Is(drained, context.DeadlineExceeded) {
		err = errors.Join(err, drained)
	}
	if r.local != nil {
		// The embedded Firehose delivers what it holds, whatever the time.
		err = errors.Join(err, r.local.stop(context.WithoutCancel(ctx)))
	}
	stop()
	err = errors.Join(failure, err, services.Wait())
	r.farewell()
	return err
}

// serve runs the listeners until ctx is done or one of them fails.
func (r *Relay) serve(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, l := range r.listeners {
		group.Go(func() error { return l.Run(ctx) })
	}
	group.Go(func() error { <-ctx.Done(); return nil })
	return group.Wait()
}

// farewell says in one line what became of the messages.
func (r *Relay) farewell() {
	var received, recovered, delivered, held, dropped uint64
	for _, b := range r.ledger.Snapshot() {
		received += b.Received
		recovered += b.Recovered
		delivered += b.Delivered
		held += b.HeldTotal()
		dropped += b.DroppedTotal()
	}
	level := slog.LevelInfo
	if dropped > 0 {
		level = slog.LevelWarn
	}
	r.log.Log(context.Background(), level, "stopped", slog.Uint64("received", received), slog.Uint64("recovered", recovered),
		slog.Uint64("delivered", delivered), slog.Uint64("held", held), slog.Uint64("dropped", dropped))
	r.presentBill()
}

// Close gives back what New took. Run does it too; a second call does nothing.
func (r *Relay) Close() {
	for _, l := range r.listeners {
		_ = l.Close()
	}
	if r.inherited != nil {
		r.inherited.close()
	}
	if r.admin != nil {
		_ = r.admin.Close()
	}
	if r.journal != nil {
		r.journal.Close()
	}
	if r.spool != nil {
		r.spool.Close()
	}
	if r.local != nil {
		_ = r.local.stop(context.Background())
	}
	if r.lock != nil {
		r.reserve.close()
		_ = r.lock.Close()
	}
	if r.unlimit != nil {
		r.unlimit()
		r.unlimit = nil
	}
	r.listeners, r.admin, r.journal, r.spool, r.local, r.lock = nil, nil, nil, nil, nil, nil
}
