// Package house_test holds the rules of the house: who may import whom. They
// are explained in docs/design.md.
package house_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "kinesyslog"

// pkg is what go list tells of a package.
type pkg struct {
	ImportPath   string
	Dir          string
	Standard     bool
	Imports      []string
	TestImports  []string
	XTestImports []string
	GoFiles      []string
}

func packages(t *testing.T) (out []pkg) {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Standard,Imports,TestImports,XTestImports,GoFiles", "./...")
	stdout, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for d := json.NewDecoder(strings.NewReader(string(stdout))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		// A look at each file, lest a result of other files be taken from the cache.
		for _, f := range p.GoFiles {
			if _, err := os.Stat(filepath.Join(p.Dir, f)); err != nil {
				t.Fatal(err)
			}
		}
		out = append(out, p)
	}
}

// room is a set of packages with the same rules.
type room struct {
	packages []string // below internal/
	own      []string // packages of ours that they may import
	others   []string // prefixes of foreign packages that they may import
}

var (
	leaves = []string{"syslog", "gelf", "relp"}
	stages = []string{"listen", "journal", "batch", "spool", "upload"}

	// shared is what stages hand to each other, and what they stand on.
	shared = []string{"event", "ledger", "vfs"}

	metrics = "github.com/prometheus/client_golang/"
	system  = "golang.org/x/"
	aws     = []string{"github.com/aws/aws-sdk-go-v2", "github.com/aws/smithy-go"}
)

func rooms() []room {
	return []room{
		{packages: leaves},
		{packages: []string{"deflate"}},
		{packages: []string{"cwl"}, own: []string{"deflate"}, others: []string{"github.com/klauspost/compress/"}},
		{packages: []string{"event", "ledger", "vfs", "cert", "privilege"}},
		{packages: []string{"faultfs"}, own: []string{"vfs"}},
		{packages: []string{"access"}, own: []string{"cert"}},
		{packages: []string{"listen"}, own: slices.Concat(leaves, shared, []string{"access"}), others: []string{metrics, system, "github.com/pion/"}},
		{packages: []string{"journal", "spool"}, own: shared, others: []string{metrics, system}},
		{packages: []string{"batch"}, own: slices.Concat(leaves, shared, []string{"cwl"}), others: []string{metrics}},
		{packages: []string{"upload"}, own: shared, others: slices.Concat(aws, []string{metrics, system})},
		{packages: []string{"config"}, own: []string{"access", "privilege"}, others: []string{system, "go.yaml.in/yaml/"}},
		{packages: []string{"admin"}, own: []string{"ledger"}, others: []string{metrics}},
		{packages: []string{"firehose"}, others: []string{metrics, system}},
		{packages: []string{"archive"}, own: []string{"cwl"}, others: slices.Concat(aws, []string{system})},
		{packages: []string{"inspect"}, own: []string{"cwl", "event", "journal", "spool", "vfs"}, others: []string{system}},
		{packages: []string{"yardstick", "yardstick/ratios"}, own: []string{"yardstick"}},
		{packages: []string{"explain"}, own: slices.Concat(leaves, []string{"event", "cwl", "batch"})},
	}
}

func TestPackagesImportOnlyWhatTheirRoomAllows(t *testing.T) {
	rules := map[string]room{}
	for _, r := range rooms() {
		for _, p := range r.packages {
			rules[module+"/internal/"+p] = r
		}
	}
	for _, p := range packages(t) {
		r, ok := rules[p.ImportPath]
		switch {
		case ok:
		case p.ImportPath == module, p.ImportPath == module+"/internal/relay", strings.HasPrefix(p.ImportPath, module+"/cmd/"):
			continue // they join the others
		default:
			t.Errorf("%s stands in no room of the house: give it one here and in docs/design.md", p.ImportPath)
			continue
		}
		for _, imported := range p.Imports {
			if !allowed(r, imported) {
				t.Errorf("%s must not import %s", p.ImportPath, imported)
			}
		}
	}
}

func allowed(r room, imported string) bool {
	if own, ok := strings.CutPrefix(imported, module+"/internal/"); ok {
		return slices.Contains(r.own, own)
	}
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") && first != module {
		return true // the standard library
	}
	return slices.ContainsFunc(r.others, func(prefix string) bool { return strings.HasPrefix(imported, prefix) })
}

// Journal and spool keep their files in one directory, and inspect reads both.
func TestOnlyRelayImportsAllStages(t *testing.T) {
	for _, p := range packages(t) {
		n := 0
		for _, s := range stages {
			if slices.Contains(p.Imports, module+"/internal/"+s) {
				n++
			}
		}
		if p.ImportPath == module+"/internal/inspect" {
			n-- // it works on a directory by hand; no message goes through it
		}
		if n > 1 && p.ImportPath != module+"/internal/relay" {
			t.Errorf("%s imports %d stages; only relay joins them", p.ImportPath, n)
		}
	}
}

// A program that uses a template calls methods by name, and then the linker
// keeps every method of the AWS SDK: 22.4 MB instead of 14.7.
func TestNoTemplatesSoThatTheBinaryStaysSmall(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			if imported == "text/template" || imported == "html/template" {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
		}
	}
}

var testSupport = []string{module + "/internal/faultfs", module + "/internal/yardstick"}

func TestTestSupportIsNotInTheProduct(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			ratios := p.ImportPath == module+"/internal/yardstick/ratios" // knows the units, and is no product either
			if slices.Contains(testSupport, imported) && !ratios || imported == "testing" && !slices.Contains(testSupport, p.ImportPath) {
				t.Errorf("%s imports %s outside of its tests", p.ImportPath, imported)
			}
		}
	}
}
