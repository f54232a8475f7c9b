package tap

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// Set sets settings of a namespace's network, by the names that sysctl has for them, in the order of these names.
func Set(ns Namespace, settings map[string]string) error {
	return onThread(func() error {
		if err := enter(ns); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(settings)) {
			if err := setHere(name, settings[name]); err != nil {
				return fmt.Errorf("sysctl %s=%s: %w", name, settings[name], err)
			}
		}
		return nil
	})
}

// setHere sets a setting of the calling thread's namespace: /proc/sys/net shows every thread its own.
func setHere(name, value string) error {
	if first := strings.IndexAny(name, "./"); first >= 0 && name[first] == '.' {
		name = strings.Map(swapped, name) // as sysctl(8) has it: net.ipv4.conf.eth0/1.rp_filter is of eth0.1
	}
	path := "/proc/sys/" + name
	if !strings.HasPrefix(path, "/proc/sys/net/") || strings.Contains(path, "/../") {
		return errors.New("is no setting of a network")
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err.(*os.PathError).Err
	}
	defer file.Close()
	if _, err := file.WriteString(value); err != nil {
		return err.(*os.PathError).Err
	}
	return nil
}

// swapped makes a slash of a dot and a dot of a slash.
func swapped(r rune) rune {
	switch r {
	case '.':
		return '/'
	case '/':
		return '.'
	}
	return r
}
