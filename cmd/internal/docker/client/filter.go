package client

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"uswitch/cmd/internal/docker/types"
)

// filters are what docker's --filter takes: values of one key are alternatives, different keys must all hold.
type filters map[string][]string

func parseFilters(lines []string, known ...string) (filters, error) {
	f := filters{}
	for _, line := range lines {
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, fmt.Errorf("invalid argument %q for \"-f, --filter\" flag: invalid filter %q (must have key=value)", line, line)
		}
		if !slices.Contains(known, key) {
			return nil, fmt.Errorf("invalid filter '%s'; there are %s", key, strings.Join(known, ", "))
		}
		f[key] = append(f[key], value)
	}
	return f, nil
}

// hold reports whether one of a key's values matches, or there are none.
func (f filters) hold(key string, match func(value string) bool) bool {
	return len(f[key]) == 0 || slices.ContainsFunc(f[key], match)
}

// like matches a part of a name, or a regular expression, as Docker does.
func like(name string) func(string) bool {
	return func(value string) bool {
		if e, err := regexp.Compile(value); err == nil {
			return e.MatchString(name)
		}
		return strings.Contains(name, value)
	}
}

func labelled(labels map[string]string) func(string) bool {
	return func(value string) bool {
		key, want, exact := strings.Cut(value, "=")
		have, ok := labels[key]
		return ok && (!exact || have == want)
	}
}

// FilterContainers leaves those that match all of the filters.
func FilterContainers(rows []types.Summary, lines []string) ([]types.Summary, error) {
	f, err := parseFilters(lines, "id", "label", "name", "network", "publish", "status")
	return slices.DeleteFunc(rows, func(c types.Summary) bool {
		on := slices.Collect(maps.Keys(c.NetworkSettings.Networks))
		return !f.hold("id", func(v string) bool { return strings.HasPrefix(c.ID, v) }) ||
			!f.hold("name", func(v string) bool {
				return slices.ContainsFunc(c.Names, func(n string) bool { return like(strings.TrimPrefix(n, "/"))(v) })
			}) ||
			!f.hold("status", func(v string) bool { return c.State == v }) ||
			!f.hold("network", func(v string) bool { return slices.Contains(on, v) }) ||
			!f.hold("label", labelled(c.Labels)) ||
			!f.hold("publish", func(v string) bool {
				return slices.ContainsFunc(c.Ports, func(p types.Port) bool {
					return v == fmt.Sprint(p.PublicPort) || v == fmt.Sprintf("%d/%s", p.PublicPort, p.Type)
				})
			})
	}), err
}

// FiltersStatus reports whether containers are wanted by what they do, for which all of them are looked at.
func FiltersStatus(lines []string) bool {
	return slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, "status=") })
}

// FilterNetworks leaves those that match all of the filters.
func FilterNetworks(rows []types.Network, lines []string) ([]types.Network, error) {
	f, err := parseFilters(lines, "driver", "id", "label", "name", "scope", "type")
	return slices.DeleteFunc(rows, func(n types.Network) bool {
		kind := "custom"
		if slices.Contains([]string{"bridge", "host", "none"}, n.Name) {
			kind = "builtin"
		}
		return !f.hold("id", func(v string) bool { return strings.HasPrefix(n.ID, v) }) ||
			!f.hold("name", like(n.Name)) ||
			!f.hold("driver", func(v string) bool { return n.Driver == v }) ||
			!f.hold("scope", func(v string) bool { return n.Scope == v }) ||
			!f.hold("type", func(v string) bool { return kind == v }) ||
			!f.hold("label", labelled(n.Labels))
	}), err
}
