package relay

import (
	"fmt"
	"log/slog"
	"os"
)

// giveRootUp makes the process that of --user, and warns of files that root
// could read and this user cannot.
func (r *Relay) giveRootUp() error {
	if r.cfg.User == nil {
		return nil
	}
	if err := r.cfg.User.Become(); err != nil {
		return fmt.Errorf("--user: %w", err)
	}
	for _, file := range r.cfg.Reread() {
		f, err := os.Open(file)
		if err != nil {
			r.log.Warn("a file was read as root, but cannot be read again when it changes; what was read stays in use until a restart: let the user of --user read it",
				slog.String("file", file), slog.String("user", r.cfg.User.Name), slog.Any("error", err))
			continue
		}
		_ = f.Close() // nothing was written
	}
	r.log.Info("root is given up", slog.String("user", r.cfg.User.Name))
	return nil
}
