package main

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kinesyslog": main})
}

// TestScripts runs the real program. Beside testscript's own commands there
// are those of the map below, each explained where it is defined.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Deadline:            time.Now().Add(time.Minute), // for a program that does not end
		Setup: func(env *testscript.Env) error {
			env.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			env.Setenv("SOURCE_DATE_EPOCH", "1767225600")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    cmdExits,
			"freeport": cmdFreePort,
			"await":    cmdAwait,
			"send":     cmdSend,
			"put":      cmdPut,
			"gzip":     cmdGzip,
			"damage":   cmdDamage,
			"occupy":   cmdOccupy,
			"condemn":  cmdCondemn,
		},
	})
}

// cmdExits runs kinesyslog, which must end with a status, print nothing, and
// say one line, which begins with its name, on standard error.
//
//	exits STATUS ARG...
func cmdExits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec("kinesyslog", args[1:]...)
	status := 0
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		status = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(status) != args[0] {
		ts.Fatalf("exit status %d, want %s", status, args[0])
	}
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("standard output: %q", out)
	}
	said := ts.ReadFile("stderr")
	if !strings.HasPrefix(said, "kinesyslog: ") || strings.Count(said, "\n") != 1 {
		ts.Fatalf("standard error is not one line that begins with kinesyslog: %q", said)
	}
}

// cmdFreePort puts ports into variables that nobody listens on.
//
//	freeport NAME...
func cmdFreePort(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		defer l.Close()
		ts.Setenv(name, strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	}
}

// cmdOccupy listens on a free port until the script ends, and puts it into a
// variable.
//
//	occupy tcp|udp NAME
func cmdOccupy(ts *testscript.TestScript, _ bool, args []string) {
	if args[0] == "udp" {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		ts.Check(err)
		ts.Defer(func() { _ = c.Close() })
		ts.Setenv(args[1], strconv.Itoa(c.LocalAddr().(*net.UDPAddr).Port))
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	ts.Setenv(args[1], strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}

// cmdAwait waits until a URL answers 200 and, if a text is given, until the
// answer contains it.
//
//	await URL [TEXT]
func cmdAwait(ts *testscript.TestScript, _ bool, args []string) {
	var last string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get(args[0])
		if err != nil {
			last = err.Error()
			continue
		}
		var body bytes.Buffer
		_, err = body.ReadFrom(resp.Body)
		ts.Check(errors.Join(err, resp.Body.Close()))
		last = resp.Status + "\n" + body.String()
		if resp.StatusCode == http.StatusOK && (len(args) == 1 || strings.Contains(body.String(), args[1])) {
			return
		}
	}
	ts.Fatalf("%s did not come; the last answer was: %s", args, last)
}

// cmdSend sends a text as one datagram, or with a line feed over a connection.
//
//	send udp|tcp|tls PORT TEXT
func cmdSend(ts *testscript.TestScript, _ bool, args []string) {
	address, text := "127.0.0.1:"+args[1], args[2]
	var c net.Conn
	var err error
	switch args[0] {
	case "tls":
		c, err = tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true}) // its certificate is not what is tested
	default:
		c, err = net.Dial(args[0], address)
	}
	ts.Check(err)
	if args[0] != "udp" {
		text += "\n"
	}
	_, err = c.Write([]byte(text))
	ts.Check(errors.Join(err, c.Close()))
}

// cmdPut puts files as the records of one call.
//
//	put URL STREAM FILE...
func cmdPut(ts *testscript.TestScript, _ bool, args []string) {
	type record struct{ Data string }
	call := struct {
		DeliveryStreamName string
		Records            []record
	}{DeliveryStreamName: args[1]}
	for _, file := range args[2:] {
		call.Records = append(call.Records, record{base64.StdEncoding.EncodeToString([]byte(ts.ReadFile(file)))})
	}
	body, err := json.Marshal(call)
	ts.Check(err)
	r, err := http.NewRequest(http.MethodPost, args[0], bytes.NewReader(body))
	ts.Check(err)
	r.Header.Set("X-Amz-Target", "Firehose_20150804.PutRecordBatch")
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	resp, err := http.DefaultClient.Do(r)
	ts.Check(err)
	ts.Check(resp.Body.Close())
	if resp.StatusCode != http.StatusOK {
		ts.Fatalf("put: %s", resp.Status)
	}
}

// cmdGzip makes one file of others, a gzip member each.
//
//	gzip TO FROM...
func cmdGzip(ts *testscript.TestScript, _ bool, args []string) {
	var b bytes.Buffer
	for _, from := range args[1:] {
		w := gzip.NewWriter(&b)
		_, err := fmt.Fprint(w, strings.TrimSuffix(ts.ReadFile(from), "\n"))
		ts.Check(errors.Join(err, w.Close()))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o600))
}

// cmdDamage turns over the bits of one byte of a file.
//
//	damage FILE OFFSET
func cmdDamage(ts *testscript.TestScript, _ bool, args []string) {
	data := []byte(ts.ReadFile(args[0]))
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	data[at] = ^data[at]
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o600))
}
