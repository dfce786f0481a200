package upload

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

const (
	askFirst = time.Second
	askLast  = 5 * time.Minute
	// askTimeout ends a call that is only asked for information.
	askTimeout = 15 * time.Second
)

// Caller is who AWS takes this process for.
type Caller struct{ Account, ARN string }

// Caller asks STS, which needs no permission.
func (c *AWSClient) Caller(ctx context.Context) (Caller, error) {
	s, err := c.services(ctx)
	if err != nil {
		return Caller{}, err
	}
	out, err := s.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		c.reconsider(s, classify(ctx, err))
		return Caller{}, fmt.Errorf("ask STS who we are: %w", err)
	}
	return Caller{Account: aws.ToString(out.Account), ARN: aws.ToString(out.Arn)}, nil
}

// Identity finds out in the background which account records belong to, and
// says in the log what the stream is like. Nothing depends on its success.
type Identity struct {
	client  *AWSClient
	stream  string
	log     *slog.Logger
	account atomic.Pointer[string]
}

// NewIdentity returns an Identity that knows nothing yet.
func NewIdentity(client *AWSClient, stream string, logger *slog.Logger) *Identity {
	return &Identity{client: client, stream: stream, log: logger}
}

// Account is the account's 12 digits; "" until they are known. It may be
// called at any time.
func (i *Identity) Account() string {
	if a := i.account.Load(); a != nil {
		return *a
	}
	return ""
}

// Run asks until it knows the account, or ctx is done. The stream is described
// once, at the first time that AWS answers.
func (i *Identity) Run(ctx context.Context) {
	described := false
	for wait := askFirst; ; wait = min(2*wait, askLast) {
		if !described {
			described = i.describe(ctx)
		}
		i.ask(ctx)
		if i.Account() != "" && described {
			return
		}
		timer := time.NewTimer(wait/2 + rand.N(wait/2))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

func (i *Identity) ask(ctx context.Context) {
	asking, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	caller, err := i.client.Caller(asking)
	if err != nil {
		i.log.Debug("account is not known yet", "error", err)
		return
	}
	i.account.Store(&caller.Account)
	i.log.Info("AWS knows us", "account", caller.Account, "identity", caller.ARN, "region", i.client.Region())
}

// describe reports whether AWS has answered, be it with a refusal.
func (i *Identity) describe(ctx context.Context) bool {
	asking, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	d, err := i.client.Describe(asking, i.stream)
	if err != nil {
		i.log.Debug("stream is not described, which is not needed", "stream", i.stream, "error", err)
		var answer smithy.APIError
		return errors.As(err, &answer) && !errors.Is(err, ErrCredentials)
	}
	if account := d.Account(); account != "" && i.Account() == "" {
		i.account.Store(&account)
	}
	i.log.Info("delivery stream", "stream", i.stream, "arn", d.ARN, "status", d.Status, "type", d.Type,
		"destination", strings.Join(d.Destinations, ","), "encryption", d.Encryption)
	for _, f := range d.Findings() {
		i.log.Warn(f.Text, "stream", i.stream, "hint", f.Hint)
	}
	return true
}
