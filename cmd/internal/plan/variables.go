package plan

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/interpolation"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/tree"
	"github.com/compose-spec/compose-go/v2/types"
)

// maxTemplate is the length of the longest string with variables in it; expanding one costs more than its length.
const maxTemplate = 4 << 10

// variables writes out ${NAME}, ${NAME:-default} and their kin with compose-go's template engine, which is Compose's own.
type variables struct {
	*source
	env   map[string]string
	casts map[tree.Path]interpolation.Cast // where Compose wants a number or a boolean, and a variable is always text
}

func newVariables(s *source, env map[string]string) *variables {
	options := loader.ToOptions(&types.ConfigDetails{}, nil)
	return &variables{source: s, env: env, casts: options.Interpolate.TypeCastMapping}
}

// expand returns the value with every variable written out. Keys are left alone, as Compose leaves them.
func (v *variables) expand(value any, at path) any {
	switch value := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			value[key] = v.expand(value[key], at.to(key))
		}
	case []any:
		for i := range value {
			value[i] = v.expand(value[i], at.to(strconv.Itoa(i)))
		}
	case string:
		return v.text(value, at)
	}
	return value
}

func (v *variables) text(text string, at path) any {
	if strings.Contains(text, "$") {
		if len(text) > maxTemplate {
			v.wrong(at, "a text of %d bytes with variables in it: want at most %d", len(text), maxTemplate)
			return text
		}
		expanded, err := template.Substitute(text, v.lookup(text, at))
		if err != nil {
			v.wrong(at, "%s", templateError(err))
			return text
		}
		text = expanded
	}
	if cast := v.cast(at); cast != nil {
		// Words of YAML 1.1; the cast takes them too, but logs that it has.
		switch strings.ToLower(text) {
		case "y", "yes", "on":
			return true
		case "n", "no", "off":
			return false
		}
		number, err := cast(text)
		if err != nil {
			v.wrong(at, "%q is not a value of the kind that belongs here", clip(text, 40))
			return text
		}
		return number
	}
	return text
}

// lookup returns the mapping for one text. A variable that is not set and has no default becomes empty, as in Compose,
// and is warned of here: the engine would log it instead if it were told.
func (v *variables) lookup(text string, at path) template.Mapping {
	return func(name string) (string, bool) {
		if value, ok := v.env[name]; ok {
			return value, true
		}
		for _, operator := range []string{":", "-", "+", "?"} {
			if strings.Contains(text, "${"+name+operator) {
				return "", false
			}
		}
		v.warn(v.line(at), "%s: the variable %s is not set, so it is empty; ${%s:-default} would give it a default", at, name, name)
		return "", true
	}
}

// cast returns how Compose reads the text at a path, or nil where it stays text.
func (v *variables) cast(at path) interpolation.Cast {
	if len(at) < 3 {
		return nil
	}
	here := tree.NewPath(at...)
	for pattern, cast := range v.casts {
		if here.Matches(pattern) {
			return cast
		}
	}
	return nil
}

func templateError(err error) string {
	text := err.Error()
	if strings.HasPrefix(text, "Invalid template") {
		text = "not a variable: want $NAME, ${NAME} or ${NAME:-default}, and $$ for a dollar sign"
	}
	return strings.Join(strings.Fields(clip(text, 200)), " ")
}

// dotEnv is the file beside a lab's own that has values for its variables, as Compose reads it.
const dotEnv = ".env"

// readEnv returns the environment for a lab file's variables: that of the options, and what is in the .env beside the file, or in
// the options' own files of that kind, and not in the first. Of the settings of Compose's own in it, only the profiles are acted on.
func readEnv(file string, opts LoadOptions) (all map[string]string, warnings []string, err error) {
	all = opts.Env
	if len(opts.EnvFiles) == 0 {
		name := filepath.Join(filepath.Dir(file), dotEnv)
		switch info, err := os.Lstat(name); {
		case errors.Is(err, fs.ErrNotExist):
			return all, nil, nil
		case err != nil || !info.Mode().IsRegular():
			return all, []string{name + ": not read: not a regular file"}, nil
		}
		data, warning := readEnvFile(name)
		if warning != "" {
			return all, []string{warning}, nil
		}
		return addEnv(name, data, all, all)
	}
	values := map[string]string{}
	for _, name := range opts.EnvFiles { // the last one counts
		data, warning := readEnvFile(name)
		if warning != "" {
			return nil, nil, errors.New(warning)
		}
		more, told, err := addEnv(name, data, nil, opts.Env)
		if err != nil {
			return nil, nil, err
		}
		maps.Copy(values, more)
		warnings = append(warnings, told...)
	}
	maps.Copy(values, opts.Env)
	return values, warnings, nil
}

// readEnvFile returns what is in a file of variables, or says why it is not read.
func readEnvFile(name string) (data []byte, problem string) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return nil, name + ": not read: not a regular file"
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Sprintf("%s: not read: %v", name, errors.Unwrap(err))
	}
	defer f.Close()
	data, err = readAll(f)
	if err != nil || len(data) > maxBytes {
		return nil, fmt.Sprintf("%s: not read: want at most %d bytes", name, maxBytes)
	}
	return data, ""
}

// addEnv returns the variables of a file with those of over on top. Values may speak of those of env.
func addEnv(name string, data []byte, over, env map[string]string) (all map[string]string, warnings []string, err error) {
	values, err := dotenv.ParseWithLookup(bytes.NewReader(data), func(key string) (string, bool) {
		value, ok := env[key]
		return value, ok
	})
	if err != nil {
		return nil, nil, fmt.Errorf("%s: want lines of NAME=value", name) // the parser's own message repeats a piece of the file
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if strings.HasPrefix(key, "COMPOSE_") && key != "COMPOSE_PROFILES" {
			warnings = append(warnings, fmt.Sprintf("%s: %s: not acted on: of Compose's own settings, COMPOSE_PROFILES alone is", name, key))
		}
	}
	maps.Copy(values, over)
	return values, warnings, nil
}
