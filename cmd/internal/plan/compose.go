package plan

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// compose hands the part of the file that uswitch acts on to compose-go, which knows all the short and long forms, and
// warns of the rest. Nil means that compose-go refused it; the report says why.
func (s *source) compose(file map[string]any, env map[string]string, profiles []string) (project *types.Project) {
	pruned := s.prune(file)
	if s.commands(file); s.err() != nil {
		return nil
	}
	// compose-go is large and trusts its schema; a file that slips past it must not take the process with it.
	defer func() {
		if recover() != nil {
			s.mistake(0, nil, "compose-go cannot read this file")
			project = nil
		}
	}()
	details := types.ConfigDetails{
		ConfigFiles: []types.ConfigFile{{Filename: s.files[0].name, Config: pruned}},
		Environment: env,
	}
	project, err := loader.LoadWithContext(context.Background(), details, func(o *loader.Options) {
		o.SetProjectName(env[projectVariable], true)
		if o.Profiles = profiles; len(profiles) == 0 {
			o.Profiles = strings.Split(env["COMPOSE_PROFILES"], ",")
		}
		o.SkipInclude, o.SkipExtends = true, true
		o.Interpolate = nil           // done already
		o.SkipConsistencyCheck = true // it wants an image for every service
		o.SkipResolveEnvironment, o.SkipResolveLabels = true, true
		o.ResolvePaths = false
	})
	if err != nil {
		s.mistake(0, nil, "%s", strings.Join(strings.Fields(clip(err.Error(), 300)), " "))
		return nil
	}
	return s.withEnvFiles(project)
}

// withEnvFiles gives services the variables of their files, below those of environment.
func (s *source) withEnvFiles(project *types.Project) *types.Project {
	directory := filepath.Dir(s.files[0].name)
	for _, name := range sortedKeys(project.Services) {
		service := project.Services[name]
		for i, f := range service.EnvFiles {
			if !filepath.IsAbs(f.Path) {
				f.Path = filepath.Join(directory, f.Path)
				service.EnvFiles[i] = f
			}
			at := path{"services", name, "env_file"}
			if _, err := os.Stat(f.Path); errors.Is(err, fs.ErrNotExist) && !bool(f.Required) {
				continue
			}
			data, problem := readEnvFile(f.Path)
			if problem != "" {
				s.wrong(at, "%s", problem)
				continue
			}
			if _, _, err := addEnv(f.Path, data, nil, project.Environment); err != nil && f.Format == "" {
				s.wrong(at, "%v", err)
			}
		}
	}
	if s.err() != nil {
		return nil
	}
	resolved, err := project.WithServicesEnvironmentResolved(true)
	if err != nil {
		s.mistake(0, nil, "env_file: %s", strings.Join(strings.Fields(clip(err.Error(), 300)), " "))
		return nil
	}
	return resolved
}

// prune copies what compose-go is to read. Extensions, and ports with their places in the file, are read from the file
// itself.
func (s *source) prune(file map[string]any) map[string]any {
	ignored := &ignored{source: s, in: make(map[string][]string), line: make(map[string]int)}
	top := ignored.pick(file, nil, topKeys)
	services, networks := make(map[string]any), make(map[string]any)
	for _, name := range s.keys(path{"services"}) {
		at := path{"services", name}
		service := ignored.pick(mapping(file, at...), at, serviceKeys)
		delete(service, "ports")
		ignored.deploy(service, at)
		if attachments, ok := service["networks"].(map[string]any); ok {
			service["networks"] = ignored.attachments(attachments, at.to("networks"))
		}
		services[name] = service
	}
	for _, name := range s.keys(path{"networks"}) {
		at := path{"networks", name}
		networks[name] = s.network(ignored, mapping(file, at...), at)
	}
	top["services"], top["networks"] = services, networks
	ignored.warn()
	return top
}

// network picks a network's keys, and judges those that are acted on by being refused.
func (s *source) network(ignored *ignored, network map[string]any, at path) map[string]any {
	network = maps.Clone(network)
	for key, value := range network {
		switch {
		case key == "driver" && value != "default" && !slices.Contains(drivers, fmt.Sprint(value)):
			s.wrong(at.to(key), "%q is not supported: want %s", value, strings.Join(drivers, " or "))
		case key == "external" && value != false:
			s.warn(s.line(at.to(key)), "%s: not acted on: a lab makes its own networks, and so it makes this one", at.to(key))
		case key == "enable_ipv4" && value != true:
			s.wrong(at.to(key), "a network without IPv4 is not supported")
		case key == "driver" || key == "external" || key == "enable_ipv4":
		default:
			continue
		}
		delete(network, key)
	}
	network = ignored.pick(network, at, networkKeys)
	if ipam, ok := network["ipam"].(map[string]any); ok {
		ipam = maps.Clone(ipam)
		if ipam["driver"] == "default" {
			delete(ipam, "driver")
		}
		network["ipam"] = ignored.pick(ipam, at.to("ipam"), ipamKeys)
	}
	return network
}

// mapping follows keys down to a mapping; nil where there is none.
func mapping(m map[string]any, keys ...string) map[string]any {
	for _, key := range keys {
		m, _ = m[key].(map[string]any)
	}
	return m
}

// ignored collects keys that uswitch does not act on, and who has them.
type ignored struct {
	*source
	in   map[string][]string // key -> services and networks
	line map[string]int      // key -> its first line
}

// pick copies the known keys of a mapping. Extensions stay behind silently, as Compose has it.
func (i *ignored) pick(m map[string]any, at path, known []string) map[string]any {
	picked := make(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(m)) {
		switch {
		case strings.HasPrefix(key, "x-"):
		case slices.Contains(known, key):
			picked[key] = m[key]
		default:
			i.add(key, at)
		}
	}
	return picked
}

func (i *ignored) attachments(m map[string]any, at path) map[string]any {
	picked := make(map[string]any)
	for name, attachment := range m {
		if attachment, ok := attachment.(map[string]any); ok {
			picked[name] = i.pick(attachment, at.to(name), attachmentKeys)
		} else {
			picked[name] = nil
		}
	}
	return picked
}

// deploy passes on nothing of deploy: replicas have become hosts.
func (i *ignored) deploy(service map[string]any, at path) {
	for _, key := range []string{"deploy", "scale"} {
		value, _ := service[key].(map[string]any)
		for name := range value {
			if name != "replicas" && name != "mode" {
				i.add(key, at)
				break
			}
		}
		delete(service, key)
	}
}

func (i *ignored) add(key string, at path) {
	if _, met := i.in[key]; !met {
		i.line[key] = i.source.line(at.to(key)) // places come in the order of the file, or nearly
	}
	if len(at) > 1 {
		i.in[key] = append(i.in[key], i.serviceOf(at[1]).service)
	} else {
		i.in[key] = append(i.in[key], "the file")
	}
}

// why explains the keys that people are most likely to miss.
var why = map[string]string{
	"build":       "commands run on this machine's own files",
	"healthcheck": "a host is ready once it has been started",
	"image":       "no image is used; commands run on this machine's own files",
	"label_file":  "uswitch reads no such file, and shows no labels",
	"restart":     "a command that has ended stays ended",
	"version":     "Compose does not either",
	"volumes":     "commands see this machine's own files",
}

// warn says each key once.
func (i *ignored) warn() {
	for key, who := range i.in {
		slices.Sort(who)
		text := fmt.Sprintf("%s: not acted on (%s)", key, strings.Join(slices.Compact(who), ", "))
		if why[key] != "" {
			text += ": " + why[key]
		}
		i.report.warn(i.line[key], "%s", text)
	}
}
