package plan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
)

// dotEnv is the file beside a lab's own that has values for its variables, as Compose reads it.
const dotEnv = ".env"

// readEnv returns the environment for a lab file's variables: env, and what is in the .env beside the file and not in env. Of
// the settings of Compose's own in it, only the profiles are acted on.
func readEnv(file string, env map[string]string) (all map[string]string, warnings []string, err error) {
	name := filepath.Join(filepath.Dir(file), dotEnv)
	info, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return env, nil, nil
	case err != nil || !info.Mode().IsRegular():
		return env, []string{name + ": not read: not a regular file"}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return env, []string{fmt.Sprintf("%s: not read: %v", name, errors.Unwrap(err))}, nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil || len(data) > maxBytes {
		return env, []string{fmt.Sprintf("%s: not read: want at most %d bytes", name, maxBytes)}, nil
	}
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
	maps.Copy(values, env)
	return values, warnings, nil
}
