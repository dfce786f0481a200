package listen

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// dtlsLog takes what the DTLS library logs as lines for debugging, whatever it
// thinks of them: what matters of a handshake is its error. Its traces, which
// hold parts of handshakes, are left out.
type dtlsLog struct{ log *slog.Logger }

// NewLogger implements logging.LoggerFactory.
func (l dtlsLog) NewLogger(string) logging.LeveledLogger { return l }

func (l dtlsLog) debug(text string) {
	l.log.LogAttrs(context.Background(), slog.LevelDebug, "DTLS", slog.String("text", text))
}

func (l dtlsLog) debugf(format string, args []any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.debug(fmt.Sprintf(format, args...))
	}
}

// The rest implements logging.LeveledLogger.

func (dtlsLog) Trace(string)                        {}
func (dtlsLog) Tracef(string, ...any)               {}
func (l dtlsLog) Debug(text string)                 { l.debug(text) }
func (l dtlsLog) Debugf(format string, args ...any) { l.debugf(format, args) }
func (l dtlsLog) Info(text string)                  { l.debug(text) }
func (l dtlsLog) Infof(format string, args ...any)  { l.debugf(format, args) }
func (l dtlsLog) Warn(text string)                  { l.debug(text) }
func (l dtlsLog) Warnf(format string, args ...any)  { l.debugf(format, args) }
func (l dtlsLog) Error(text string)                 { l.debug(text) }
func (l dtlsLog) Errorf(format string, args ...any) { l.debugf(format, args) }
