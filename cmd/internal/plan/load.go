package plan

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
)

// LoadOptions is what a plan depends on besides the file. The zero value is a machine without environment and routes.
type LoadOptions struct {
	Name   string            // the lab's name in place of the file's
	Uplink string            // the uplink in place of the file's, as ParseUplink reads it
	Env    map[string]string // for ${VAR}; COMPOSE_PROFILES in it chooses the profiles
	Taken  []netip.Prefix    // routes of the host: no subnet is chosen among them
	// Files are further files, each put on top of what was read before it, as docker compose -f is given them. EnvFiles are
	// read in place of the .env beside the first one. Profiles are active in place of those of COMPOSE_PROFILES. Stdin is what the
	// file called - stands for.
	Files, EnvFiles, Profiles []string
	Stdin                     io.Reader
	Scale                     map[string]int // how many hosts a service has, whatever the file says
	// OuterMTU returns the MTU of the interface from which this machine reaches other ones; nil: 1500. local is its own address there,
	// zero if that is the first peer's to decide.
	OuterMTU func(local netip.Addr, peers []string) int
	// Keep is a lab that is up, whose hosts and networks keep what the file leaves open; nil: none. Filed is the plan that it
	// was made from: hosts that are not in that one were added by hand, and stay; nil: there are none.
	Keep, Filed *Plan
}

// BuiltinSource is what a plan's Source begins with if it was made from a built-in lab; its name follows.
const BuiltinSource = "built-in lab "

// Load makes the plan of a built-in lab or of a file, with the .env beside it. arg is the name of a built-in lab; else it is the path of a file.
// A file that is called like a built-in lab is reached as ./NAME. The error joins every [Mistake] that was found.
func Load(arg string, opts LoadOptions) (*Plan, error) {
	if other, ok := renamed[arg]; ok {
		arg = other
	}
	if data, ok := builtin(arg); ok {
		return load(arg, []file{{BuiltinSource + arg, data}}, opts)
	}
	files, warnings, err := readFiles(arg, &opts)
	if err != nil {
		return nil, err
	}
	plan, err := load(nameOfFile(files[0].name), files, opts)
	if err == nil {
		plan.Warnings = append(warnings, plan.Warnings...)
	}
	return plan, err
}

// Parse makes the plan of a file's content. name stands for the file in messages, and its last part without the extension
// is the lab's name where neither the options nor the content have one.
func Parse(name string, data []byte, opts LoadOptions) (*Plan, error) {
	return load(nameOfFile(name), []file{{name, data}}, opts)
}

// nameOfFile derives a lab's name as Compose derives a project's, with one difference: several lab files often share a
// directory, so a file with a name of its own gives it to the lab, and only compose.yaml and its like are called after
// their directory.
func nameOfFile(file string) string {
	base := filepath.Base(file)
	stem := strings.TrimSuffix(base, filepath.Ext(base))
	if slices.Contains([]string{"compose", "docker-compose", standardInput}, stem) {
		if absolute, err := filepath.Abs(file); err == nil {
			stem = filepath.Base(filepath.Dir(absolute))
		}
	}
	return loader.NormalizeProjectName(stem)
}

// projectVariable tells the file its own name, in the lower-case letters that Compose wants.
const projectVariable = "COMPOSE_PROJECT_NAME"

func load(name string, files []file, opts LoadOptions) (*Plan, error) {
	r := &report{files: files}
	env := maps.Clone(opts.Env)
	if env == nil {
		env = make(map[string]string)
	}
	s, content, name := r.read(name, env, opts)
	if s == nil {
		return nil, r.err()
	}
	s.names()
	s.checkSchema(content)
	if err := r.err(); err != nil {
		return nil, err
	}
	s.scale(content, opts.Scale)
	s.names() // those of hosts that were one service
	if err := r.err(); err != nil {
		return nil, err
	}
	if s.extend(content); r.err() != nil {
		return nil, r.err()
	}
	project := s.compose(content, env, opts.Profiles)
	if project == nil {
		return nil, r.err()
	}
	b := &builder{source: s, file: content, project: project, opts: opts, plan: &Plan{Name: name, Source: files[0].name}}
	b.build()
	if err := r.err(); err != nil {
		return nil, err
	}
	b.plan.Warnings = r.warned()
	return b.plan, nil
}

// read reads the files as one, variables written out, and settles the lab's name. Nil means that there is nothing to go on with;
// the report says why.
func (r *report) read(name string, env map[string]string, opts LoadOptions) (s *source, content map[string]any, labName string) {
	var sources []*source
	for i := range r.files {
		s := parse(r, i)
		if s == nil {
			return nil, nil, ""
		}
		sources = append(sources, s)
	}
	s = sources[0]
	if len(sources) > 1 || s.reachesOut() {
		return r.merge(sources, name, env, opts)
	}
	if !s.isLab() {
		return nil, nil, ""
	}
	content = s.tree()
	if s.nodes > maxNodes {
		return nil, nil, ""
	}
	name = s.labName(content["name"], env, name, opts.Name)
	env[projectVariable] = loader.NormalizeProjectName(name)
	newVariables(s, env).expand(content, nil)
	return s, content, name
}

// labName settles the name: the caller's, the file's, or the one that the file's own name gives.
func (s *source) labName(inFile any, env map[string]string, fromFile, given string) string {
	name := fromFile
	if text, ok := inFile.(string); ok {
		if expanded, ok := newVariables(s, env).text(text, path{"name"}).(string); ok {
			name = expanded
		}
	}
	if given != "" {
		name = given
	}
	if err := ValidateName("lab name", name); err != nil {
		s.wrong(path{"name"}, "%v", err)
	}
	return name
}

// readFile returns the content of a lab file, and a warning if its permissions deserve one.
func readFile(name string) (data []byte, warning string, err error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, "", fmt.Errorf("%s: no such lab: want a file, or a built-in lab: %s", name, strings.Join(builtinNames(), ", "))
	case err != nil:
		return nil, "", err
	case !info.Mode().IsRegular():
		// Opening a pipe waits for a writer, and reading a device may never end.
		return nil, "", fmt.Errorf("%s: not a regular file: want a Compose file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	if data, err = readAll(f); err != nil {
		return nil, "", err
	}
	if info.Mode().Perm()&0o002 != 0 {
		warning = fmt.Sprintf("%s: everybody on this machine may change this file, and its commands run as you", name)
	}
	return data, warning, nil
}

// readAll reads a file as far as one byte more than a lab may have.
func readAll(r io.Reader) ([]byte, error) { return io.ReadAll(io.LimitReader(r, maxBytes+1)) }

//go:embed builtin/*.yaml
var builtinFiles embed.FS

// Builtin is a lab that comes with uswitch.
type Builtin struct {
	Name  string
	About string // one line
}

// renamed are the names that built-in labs have had, and those that they have.
var renamed = map[string]string{"docker": "host"}

// Builtins returns the labs that come with uswitch, sorted by name. A lab's line is the first comment of its file.
func Builtins() []Builtin {
	var all []Builtin
	for _, name := range builtinNames() {
		data, _ := builtin(name)
		first, _, _ := strings.Cut(string(data), "\n")
		all = append(all, Builtin{Name: name, About: strings.TrimPrefix(first, "# ")})
	}
	return all
}

func builtin(name string) ([]byte, bool) {
	data, err := builtinFiles.ReadFile("builtin/" + name + ".yaml")
	return data, err == nil
}

// builtinNames relies on embed.FS, which lists a directory in order.
func builtinNames() []string {
	entries, _ := builtinFiles.ReadDir("builtin")
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}
