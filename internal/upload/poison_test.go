package upload

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/aws/smithy-go"
	"github.com/prometheus/client_golang/prometheus"
)

// picky is a stream that refuses calls with certain records in them.
func picky(poison func(data []byte) bool) *fakeStream {
	s := &fakeStream{}
	s.answer = func(_ context.Context, _ int, in *input) (*output, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for i, r := range in.Records {
			if poison(r.Data) {
				return nil, &types.InvalidArgumentException{Message: aws.String(fmt.Sprintf("record %d is bad", i))}
			}
		}
		return reply(make([]bool, len(in.Records))...), nil
	}
	return s
}

func TestPoisonedRecordIsSetAsideAndTheRestDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := picky(func(d []byte) bool { return d[0] == 17 })
		q := newQueue(t)
		q.add(numbered(250, 100)...)
		u := newUploader(t, q, s)
		drain(t, u)
		wantFates(t, q, map[string]int{"delivered": 249, "dead": 1})
		if q.fate[17] != "dead" || q.reasons[0] != "InvalidArgumentException: record 0 is bad" {
			t.Errorf("record 17 is %q because of %q", q.fate[17], q.reasons)
		}
		if n := len(s.times); n > 18 {
			t.Errorf("%d calls to find one record of 250", n)
		}
		if st := u.State(); !st.Ready {
			t.Errorf("not ready because of one bad record: %+v", st)
		}
	})
}

func TestRecordsBeyondFirehosesLimitsAreSetAsideWithoutACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStream{}
		q := newQueue(t)
		q.add(make([]byte, maxRecordBytes+1), nil, []byte("good"), make([]byte, maxRecordBytes))
		drain(t, newUploader(t, q, s))
		wantFates(t, q, map[string]int{"delivered": 2, "dead": 2})
		if s.records != 2 {
			t.Errorf("%d records were sent, want 2", s.records)
		}
	})
}

func TestStreamThatRefusesEveryRecordDoesNotTurnThemIntoDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := true
		s := picky(func([]byte) bool { return broken })
		q := newQueue(t)
		q.add(numbered(200, 100)...)
		u := newUploader(t, q, s)
		stop := run(t, u)
		time.Sleep(time.Hour)
		if st := u.State(); st.Ready || st.Reason != reasonInvalid || st.Hint == "" {
			t.Errorf("state %+v", st)
		}
		s.set(func() {
			if n := len(s.times); n > 60+3600/20 {
				t.Errorf("%d calls in an hour to a stream that is set up wrongly", n)
			}
			broken = false
		})
		time.Sleep(2 * time.Minute)
		if st := u.State(); !st.Ready {
			t.Errorf("state after the stream was mended: %+v", st)
		}
		stop()
		wantFates(t, q, map[string]int{"delivered": 180, "dead": 20})
	})
}

func TestManyPoisonedRecordsInARowDoNotHoldUpTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := picky(func(d []byte) bool { return d[0] < 60 })
		q := newQueue(t)
		q.add(numbered(256, 100)...)
		u := newUploader(t, q, s)
		stop := run(t, u)
		time.Sleep(10 * time.Minute)
		stop()
		wantFates(t, q, map[string]int{"delivered": 196, "dead": 60})
	})
}

func TestConfigurationFaultsKeepEverythingAndAreNotBisected(t *testing.T) {
	for _, code := range []string{"ExpiredTokenException", "AccessDeniedException", "ResourceNotFoundException", "InvalidKMSResourceException", "InvalidSourceException", "RequestTimeTooSkewed", "SomethingNew"} {
		t.Run(code, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakeStream{answer: func(context.Context, int, *input) (*output, error) {
					return nil, &smithy.GenericAPIError{Code: code, Message: "no"}
				}}
				var log strings.Builder
				q := newQueue(t)
				q.add(numbered(300, 100)...)
				u := newUploader(t, q, s, func(o *Options) {
					o.Logger = slog.New(slog.NewTextHandler(&log, nil))
					o.Region = func() string { return "eu-west-1" }
				})
				stop := run(t, u)
				synctest.Wait()
				if st := u.State(); st.Ready || st.Code != code || st.Hint == "" {
					t.Errorf("state after the first call: %+v", st)
				}
				time.Sleep(10 * time.Minute)
				s.set(func() {
					for i := 1; i < len(s.times); i++ {
						if d := s.times[i].Sub(s.times[i-1]); d < 3*time.Second || d > 30*time.Second {
							t.Errorf("call %d came %v after the one before", i, d)
						}
					}
					s.answer = nil
				})
				time.Sleep(time.Minute)
				stop()
				wantFates(t, q, map[string]int{"delivered": 300})
				if n := strings.Count(log.String(), "until the configuration is mended"); n < 6 || n > 11 {
					t.Errorf("%d lines in ten minutes, want at most one a minute", n)
				}
				for _, want := range []string{"code=" + code, "stream=logs", "region=eu-west-1", "hint=", "records_waiting=300", "takes records again"} {
					if !strings.Contains(log.String(), want) {
						t.Errorf("log lacks %q:\n%s", want, log.String())
					}
				}
			})
		})
	}
}

func TestRecordsThatComeBackWaitUntilThePauseIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStream{latency: 100 * time.Millisecond}
		q := newQueue(t)
		q.add(numbered(300, 400_000)...)
		stop := run(t, newUploader(t, q, s))
		time.Sleep(time.Minute)
		s.set(func() {
			s.times = nil
			s.answer = func(context.Context, int, *input) (*output, error) {
				return nil, &smithy.GenericAPIError{Code: "AccessDeniedException"}
			}
		})
		q.add([]byte("one"))
		time.Sleep(time.Minute)
		stop()
		for i := 1; i < len(s.times); i++ {
			if d := s.times[i].Sub(s.times[i-1]); d < 3*time.Second {
				t.Errorf("call %d came %v after the one before, though the gate was closed", i, d)
			}
		}
		wantFates(t, q, map[string]int{"delivered": 300, "": 1})
	})
}

func TestMalformedAnswersLoseNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeStream{}
		s.answer = func(_ context.Context, call int, in *input) (*output, error) {
			out := reply(make([]bool, len(in.Records))...)
			switch call {
			case 0:
				out.RequestResponses = out.RequestResponses[:2]
			case 1:
				out.FailedPutCount = aws.Int32(2)
			case 2:
				out.RequestResponses[3] = types.PutRecordBatchResponseEntry{}
			case 3:
				return nil, nil
			case 4:
				out.FailedPutCount = nil // needless, and some emulators leave it out
			}
			return out, nil
		}
		q := newQueue(t)
		q.add(numbered(10, 100)...)
		registry := prometheus.NewRegistry()
		drain(t, newUploader(t, q, s, func(o *Options) { o.Registerer = registry }))
		wantFates(t, q, map[string]int{"delivered": 10})
		if n := gathered(t, registry)["kinesyslog_upload_retries_total malformed_answer"]; n != 4 || len(s.times) != 5 {
			t.Errorf("%v malformed answers in %d calls, want 4 in 5", n, len(s.times))
		}
	})
}

func TestSpoolThatCannotTakeADeadLetterKeepsTheRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := picky(func(d []byte) bool { return d[0] == 3 })
		q := newQueue(t)
		q.add(numbered(10, 100)...)
		q.broken = errors.New("no space left on device")
		u := newUploader(t, q, s)
		stop := run(t, u)
		time.Sleep(5 * time.Minute)
		stop()
		wantFates(t, q, map[string]int{"delivered": 9, "": 1})
		if n := len(s.times); n > 60 {
			t.Errorf("%d calls in 5 minutes for one record", n)
		}
		q.broken = nil
		drain(t, u)
		wantFates(t, q, map[string]int{"delivered": 9, "dead": 1})
	})
}
