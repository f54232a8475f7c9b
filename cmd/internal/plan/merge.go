package plan

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"
	"go.yaml.in/yaml/v4"
)

// reachesOut reports whether a file is not the whole of its lab: it includes others, or its services extend those of others.
func (s *source) reachesOut() bool {
	if key, _ := child(s.root, "include", 0); key != nil {
		return true
	}
	return slices.ContainsFunc(s.extending(), func(extended *yaml.Node) bool {
		key, _ := child(extended, "file", 0)
		return key != nil
	})
}

// extending returns what the services of a file extend.
func (s *source) extending() (all []*yaml.Node) {
	_, services := child(s.root, "services", 0)
	for _, name := range s.keys(path{"services"}) {
		if _, service := child(services, name, 0); service != nil {
			if key, value := child(service, "extends", 0); key != nil {
				all = append(all, value)
			}
		}
	}
	return all
}

// merge makes one file of several, of what they include and of what their services extend, as compose-go merges them. The nodes of
// what comes out know the places in the files that they are from: where several files have a key, that of the last one.
func (r *report) merge(sources []*source, name string, env map[string]string, opts LoadOptions) (s *source, content map[string]any, labName string) {
	first := sources[0]
	var inFile any
	for _, s := range sources {
		if key, value := child(s.root, "name", 0); key != nil {
			inFile = target(value).Value
		}
	}
	name = first.labName(inFile, env, name, opts.Name)
	env[projectVariable] = loader.NormalizeProjectName(name)
	model, told, ok := r.model(env)
	if !ok {
		return nil, nil, ""
	}
	for _, line := range told {
		r.warn(0, "%s", line)
	}
	forget(model)
	text, err := yaml.Marshal(model)
	if err != nil {
		r.mistake(0, nil, "these files together cannot be written as one: %v", err)
		return nil, nil, ""
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil || len(document.Content) != 1 {
		r.mistake(0, nil, "these files together cannot be read as one: %v", err)
		return nil, nil, ""
	}
	s = newSource(r, document.Content[0])
	if !s.isLab() {
		return nil, nil, ""
	}
	var roots []*yaml.Node
	for _, from := range append(sources, r.others(sources)...) {
		roots = append(roots, from.root)
	}
	relocate(s.root, 0, roots)
	content = s.tree()
	if s.nodes > maxNodes {
		return nil, nil, ""
	}
	return s, content, name
}

// forget takes out of a merged file what compose-go has put in, and nobody has written.
func forget(model map[string]any) {
	services, _ := model["services"].(map[string]any)
	for _, service := range services {
		service, _ := service.(map[string]any)
		ports, _ := service["ports"].([]any)
		for _, port := range ports {
			if port, ok := port.(map[string]any); ok && port["mode"] == "ingress" {
				delete(port, "mode")
			}
		}
	}
}

// model has compose-go merge the files, variables written out.
func (r *report) model(env map[string]string) (model map[string]any, told []string, ok bool) {
	// compose-go is large; a file that it stumbles over must not take the process with it.
	defer func() {
		if recover() != nil {
			r.mistake(0, nil, "compose-go cannot read these files together")
			model, told, ok = nil, nil, false
		}
	}()
	directory, err := filepath.Abs(filepath.Dir(r.files[0].name))
	if err != nil {
		r.mistake(0, nil, "%v", err)
		return nil, nil, false
	}
	details := types.ConfigDetails{WorkingDir: directory, Environment: env}
	for _, f := range r.files {
		absolute, _ := filepath.Abs(f.name)
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: absolute, Content: f.data})
	}
	defer listen(&told)()
	model, err = loader.LoadModelWithContext(context.Background(), details, func(o *loader.Options) {
		o.SetProjectName(env[projectVariable], true)
		o.SkipNormalization, o.SkipConsistencyCheck, o.SkipDefaultValues = true, true, true
		o.SkipValidation = true // that of what comes out knows lines
		o.ResolvePaths = true
		o.ResourceLoaders = append([]loader.ResourceLoader{elsewhere{}}, o.ResourceLoaders...)
	})
	if err != nil {
		r.mistake(0, nil, "%s", plainly(err, directory))
		return nil, nil, false
	}
	return model, nil, true
}

// listening is held by whoever has compose-go's log.
var listening sync.Mutex

// listen collects what compose-go logs, as of a variable that is not set, until stop is called.
func listen(lines *[]string) (stop func()) {
	listening.Lock()
	logger := logrus.StandardLogger()
	before, form := logger.Out, logger.Formatter
	var text bytes.Buffer
	logger.SetOutput(&text)
	logger.SetFormatter(onlyMessage{})
	return func() {
		logger.SetOutput(before)
		logger.SetFormatter(form)
		listening.Unlock()
		*lines = strings.Split(strings.TrimSpace(text.String()), "\n")
		*lines = slices.DeleteFunc(slices.Compact(*lines), func(line string) bool { return line == "" })
	}
}

// onlyMessage writes of a log entry what it says.
type onlyMessage struct{}

func (onlyMessage) Format(e *logrus.Entry) ([]byte, error) { return []byte(e.Message + "\n"), nil }

// elsewhere refuses files of other machines, which Compose would fetch.
type elsewhere struct{}

func (elsewhere) Accept(path string) bool {
	return strings.Contains(path, "://") || strings.HasPrefix(path, "git@") || strings.HasPrefix(path, "oci:")
}

func (elsewhere) Load(_ context.Context, path string) (string, error) {
	return "", fmt.Errorf("%s is on another machine: want a file of this one", clip(path, 200))
}

func (elsewhere) Dir(path string) string { return filepath.Dir(path) }

// others reads the files that those of a lab name themselves, so that what comes from them has its place. compose-go has read
// them all; one that is not found here only leaves places open.
func (r *report) others(sources []*source) (all []*source) {
	for i, s := range sources {
		directory := filepath.Dir(r.files[i].name)
		for _, name := range s.namedFiles() {
			if !filepath.IsAbs(name) {
				name = filepath.Join(directory, name)
			}
			data, _, err := readFile(name)
			if err != nil {
				continue
			}
			r.files = append(r.files, file{name, data})
			if other := parse(r, len(r.files)-1); other != nil {
				other.checkKeys()
				all = append(all, other)
			}
		}
	}
	return all
}

// namedFiles returns the files that a file names: include, and extends with a file.
func (s *source) namedFiles() (all []string) {
	add := func(n *yaml.Node) {
		if n = target(n); n != nil && n.Kind == yaml.ScalarNode && !slices.Contains(all, n.Value) {
			all = append(all, n.Value)
		}
	}
	if _, list := child(s.root, "include", 0); list != nil {
		for _, item := range target(list).Content {
			add(item)
			if _, paths := child(item, "path", 0); paths != nil {
				add(paths)
				for _, one := range target(paths).Content {
					add(one)
				}
			}
		}
	}
	for _, extended := range s.extending() {
		if _, file := child(extended, "file", 0); file != nil {
			add(file)
		}
	}
	return all
}

// relocate gives the nodes of a merged file their places, and puts keys into the order in which the files first have them. from is
// what stands in this place in each file; what none of them has there gets the place above it.
func relocate(n *yaml.Node, place int, from []*yaml.Node) {
	n.Line = place
	if n.Kind != yaml.MappingNode {
		for _, item := range n.Content {
			relocate(item, place, nil)
		}
		return
	}
	order := map[string]int{}
	for _, f := range from {
		collect(f, 0, func(key string) {
			if _, met := order[key]; !met {
				order[key] = len(order)
			}
		})
	}
	type pair struct{ key, value *yaml.Node }
	var pairs []pair
	for i := 0; i+1 < len(n.Content); i += 2 {
		pairs = append(pairs, pair{n.Content[i], n.Content[i+1]})
	}
	rank := func(p pair) int {
		if i, met := order[p.key.Value]; met {
			return i
		}
		return len(order)
	}
	slices.SortStableFunc(pairs, func(p, q pair) int { return rank(p) - rank(q) })
	n.Content = n.Content[:0]
	for _, p := range pairs {
		here, below := place, []*yaml.Node(nil)
		for _, f := range from {
			if key, value := child(f, p.key.Value, 0); key != nil {
				here = key.Line
				below = append(below, value)
			}
		}
		p.key.Line = here
		relocate(p.value, here, below)
		n.Content = append(n.Content, p.key, p.value)
	}
}

// readFiles reads the files of a lab, the first of which is called name, and what their variables stand for into the options.
func readFiles(name string, opts *LoadOptions) (files []file, warnings []string, err error) {
	for _, name := range append([]string{name}, opts.Files...) {
		if name == standardInput && opts.Stdin != nil {
			data, err := readAll(opts.Stdin)
			if err != nil {
				return nil, nil, err
			}
			files = append(files, file{name, data})
			continue
		}
		data, warning, err := readFile(name)
		if err != nil {
			return nil, nil, err
		}
		if warning != "" {
			warnings = append(warnings, warning)
		}
		files = append(files, file{name, data})
	}
	env, more, err := readEnv(name, *opts)
	if err != nil {
		return nil, nil, err
	}
	opts.Env = maps.Clone(env)
	return files, append(warnings, more...), nil
}

// standardInput is what a file is called that is not one.
const standardInput = "-"
