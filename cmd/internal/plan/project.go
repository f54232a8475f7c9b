package plan

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// LoadProject reads the same files as Load does, and returns the project as Compose itself would see it: for `uswitch docker
// compose`, which makes containers of it. Its name is the options', COMPOSE_PROJECT_NAME's, the files' or that of their directory.
func LoadProject(name string, o LoadOptions) (project *types.Project, warnings []string, err error) {
	defer func() { // compose-go is large; a file that it stumbles over must not take the process with it
		if recover() != nil {
			project, err = nil, fmt.Errorf("%s: compose-go cannot read this file", name)
		}
	}()
	files, told, err := readFiles(name, &o)
	if err != nil {
		if _, missing := os.Stat(name); missing != nil && name != standardInput {
			err = missing
		}
		return nil, nil, err
	}
	directory, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		return nil, nil, err
	}
	// Of Compose's own settings in a .env, this reads those that say what a project is.
	told = slices.DeleteFunc(told, func(line string) bool { return strings.Contains(line, ": COMPOSE_") })
	r := &report{files: files}
	for i := range files {
		parse(r, i) // whose errors name a line
	}
	if err := r.err(); err != nil && !strings.Contains(err.Error(), "a second YAML document") {
		return nil, nil, err
	}
	if o.Profiles == nil {
		o.Profiles = strings.Split(o.Env["COMPOSE_PROFILES"], ",")
	}
	details := types.ConfigDetails{WorkingDir: directory, Environment: maps.Clone(o.Env)}
	if details.Environment == nil {
		details.Environment = types.Mapping{}
	}
	for _, f := range files {
		absolute, _ := filepath.Abs(f.name)
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: absolute, Content: f.data})
	}
	project, logged, err := loadProject(details, o, loader.NormalizeProjectName(filepath.Base(directory)))
	if err != nil {
		return nil, nil, errors.New(plainly(err, directory))
	}
	if err := checkScale(o.Scale); err != nil {
		return nil, nil, err
	}
	for _, service := range sortedKeys(o.Scale) {
		s, err := project.GetService(service)
		if err != nil {
			return nil, nil, fmt.Errorf("no such service: %s", clip(service, 60))
		}
		s.SetScale(o.Scale[service])
		project.Services[service] = s
	}
	return project, append(told, logged...), nil
}

// loadProject has compose-go read a project; what it logs comes back.
func loadProject(details types.ConfigDetails, o LoadOptions, fallback string) (project *types.Project, logged []string, err error) {
	defer listen(&logged)()
	project, err = loader.LoadWithContext(context.Background(), details, func(l *loader.Options) {
		name := o.Name
		if name == "" {
			name = o.Env[projectVariable]
		}
		l.SetProjectName(name, true)
		if name == "" {
			l.SetProjectName(fallback, false)
		}
		l.Profiles = o.Profiles
		l.ResourceLoaders = append([]loader.ResourceLoader{elsewhere{}}, l.ResourceLoaders...)
	})
	return project, logged, err
}

// plainly is an error of compose-go's in one line, without what may be a piece of a file.
func plainly(err error, directory string) string {
	text, _, isYAML := strings.Cut(err.Error(), ": yaml: ")
	if isYAML {
		text += ": not YAML"
	}
	text = strings.ReplaceAll(text, directory+string(filepath.Separator), "")
	return strings.Join(strings.Fields(clip(text, 300)), " ")
}
