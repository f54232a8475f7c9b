package api

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Up lists the labs that are up and that this user may talk to, sorted by name.
func Up() []*Client {
	var all []*Client
	var mu sync.Mutex // guards all
	var asking sync.WaitGroup
	for _, dir := range Directories() {
		sockets, _ := filepath.Glob(filepath.Join(dir, "*"+suffix))
		for _, path := range sockets {
			asking.Go(func() { // one whose process is stopped takes its time
				if Answers(path) {
					mu.Lock()
					defer mu.Unlock()
					all = append(all, NewClient(path, strings.TrimSuffix(filepath.Base(path), suffix)))
				}
			})
		}
	}
	asking.Wait()
	slices.SortFunc(all, func(a, b *Client) int { return cmp.Compare(a.lab, b.lab) })
	return all
}

// Find finds the lab that a command acts on: the one that is named, by the option or else by USWITCH_LAB, or the only one
// that is up. Whether the name can be a lab's is for the caller to say.
func Find(name string) (*Client, error) {
	name = cmp.Or(name, os.Getenv("USWITCH_LAB"))
	up := Up()
	var names []string
	for _, c := range up {
		if c.lab == name || name == "" && len(up) == 1 {
			return c, nil
		}
		names = append(names, c.lab)
	}
	switch {
	case len(up) == 0:
		return nil, notUp(name)
	case name == "":
		return nil, fmt.Errorf("several labs are up, %s: say which with --lab NAME or USWITCH_LAB", strings.Join(names, " and "))
	}
	return nil, fmt.Errorf("lab %s is not up; up: %s", name, strings.Join(names, ", "))
}

func notUp(name string) error {
	hint := ""
	if os.Geteuid() != 0 {
		hint = ", that you may talk to (those of root need sudo)"
	}
	if name != "" {
		return fmt.Errorf("lab %s is not up%s", name, hint)
	}
	return errors.New("no lab is up" + hint + "; bring one up with `uswitch up -d docker` or `uswitch run red-blue`")
}
