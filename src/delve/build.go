package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Where programs are built; the number of the adapter's process follows.
const leftBehind = ".debugged-"

// Neither optimised nor inlined, and with the paths that files have: as the standard library was compiled beforehand the build is one
// that trims them. What lies below the program is looked at as well, what it has of others is not.
const flags = "-N -l -trimpath="

// build is a program that is debugged.
type build struct {
	meanings []meaning
	output   string
}

// meaning is what words of the compiler mean, for who sees them for the first time.
type meaning struct {
	says  *regexp.Regexp
	means string
}

// readMeanings reads pairs of a pattern and a sentence.
func readMeanings(text string) []meaning {
	var pairs [][2]string
	if err := json.Unmarshal([]byte(text), &pairs); err != nil {
		panic(err)
	}
	meanings := make([]meaning, len(pairs))
	for i, pair := range pairs {
		meanings[i] = meaning{regexp.MustCompile("(?m)" + pair[0]), pair[1]}
	}
	return meanings
}

// begin builds a file's program, or a directory's. What the compiler said comes with the error.
func (b *build) begin(program string) (string, error) {
	if b.output != "" {
		return "", errors.New("a program has been launched already")
	}
	info, err := os.Stat(program)
	if err != nil {
		return "", fmt.Errorf("there is no %s to be debugged", program)
	}
	directory, sources := program, []string{"."}
	if !info.IsDir() {
		directory, sources = filepath.Dir(program), sourcesOf(program)
	} else if !inModule(program) {
		sources = sourcesIn(program)
	}
	place := filepath.Join(os.TempDir(), leftBehind+strconv.Itoa(os.Getpid()))
	if err := os.MkdirAll(place, 0o755); err != nil {
		return "", err
	}
	b.output = filepath.Join(place, strings.TrimSuffix(filepath.Base(program), ".go"))
	args := append([]string{"build", "-buildmode=exe", "-gcflags=./...=" + flags, "-gcflags=" + flags, "-o", b.output}, sources...)
	command := exec.Command("go", args...)
	command.Dir = directory
	said, err := command.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = errors.New("the program could not be compiled; its output says why")
	}
	if err != nil {
		// What is mended may be launched again.
		b.remove()
		return b.explained(string(said)), err
	}
	return string(said), nil
}

func (b *build) explained(words string) string {
	for _, m := range b.meanings {
		if m.says.MatchString(words) {
			return words + "\n" + m.means + "\n"
		}
	}
	return words
}

func (b *build) remove() {
	if b.output != "" {
		os.RemoveAll(filepath.Dir(b.output))
		b.output = ""
	}
}

// removeLeft removes what adapters have built that were killed.
func removeLeft() {
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), leftBehind+"*"))
	for _, path := range left {
		pid := path[strings.LastIndex(path, leftBehind)+len(leftBehind):]
		if _, err := os.Stat("/proc/" + pid); err != nil {
			os.RemoveAll(path)
		}
	}
}

func inModule(directory string) bool {
	for {
		if _, err := os.Stat(filepath.Join(directory, "go.mod")); err == nil {
			return true
		}
		above := filepath.Dir(directory)
		if above == directory {
			return false
		}
		directory = above
	}
}

// sourcesIn are all of a directory but tests.
func sourcesIn(directory string) []string {
	paths, _ := filepath.Glob(filepath.Join(directory, "*.go"))
	sources := []string{}
	for _, path := range paths {
		if !strings.HasSuffix(path, "_test.go") {
			sources = append(sources, filepath.Base(path))
		}
	}
	return sources
}

// sourcesOf are a file and those beside it that belong to its program: not tests, and none with a main of its own.
func sourcesOf(program string) []string {
	sources := []string{filepath.Base(program)}
	for _, name := range sourcesIn(filepath.Dir(program)) {
		if name != sources[0] && isPart(filepath.Join(filepath.Dir(program), name)) {
			sources = append(sources, name)
		}
	}
	return sources
}

func isPart(path string) bool {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil || file.Name.Name != "main" {
		return false
	}
	for _, declaration := range file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if ok && function.Recv == nil && function.Name.Name == "main" {
			return false
		}
	}
	return true
}
