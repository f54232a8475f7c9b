package plan

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

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
	data, err = io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, "", err
	}
	if info.Mode().Perm()&0o002 != 0 {
		warning = fmt.Sprintf("%s: everybody on this machine may change this file, and its commands run as you", name)
	}
	return data, warning, nil
}
