package client

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"

	"uswitch/cmd/internal/docker/types"
)

// DockerOptions are what docker ps and docker network ls take for their lists.
type DockerOptions struct {
	Format  string // a template, or empty
	Quiet   bool   // ids only
	NoTrunc bool
	Now     time.Time
	Compose bool // rows have Name and Service, as those of docker compose ps
}

// shortDockerID is how much of an id lists show.
const shortDockerID = 12

func (o DockerOptions) id(id string) string {
	if o.NoTrunc || len(id) < shortDockerID {
		return id
	}
	return id[:shortDockerID]
}

// DockerPs writes containers as docker ps does.
func DockerPs(w io.Writer, containers []types.Summary, o DockerOptions) error {
	usual := "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}"
	format := o.Format
	if o.Quiet && format == "" {
		format = "{{.ID}}"
	}
	heading := map[string]string{"ID": "CONTAINER ID", "Image": "IMAGE", "Command": "COMMAND", "CreatedAt": "CREATED AT", "RunningFor": "CREATED",
		"Status": "STATUS", "State": "STATE", "Ports": "PORTS", "Names": "NAMES", "Networks": "NETWORKS", "Labels": "LABELS",
		"Name": "NAME", "Service": "SERVICE"}
	rows := make([]map[string]string, 0, len(containers))
	for _, c := range containers {
		rows = append(rows, dockerContainer(c, o))
	}
	return dockerTable(w, format, usual, heading, rows)
}

func dockerContainer(c types.Summary, o DockerOptions) map[string]string {
	command := c.Command
	if runes := []rune(command); !o.NoTrunc && len(runes) > 20 {
		command = string(runes[:19]) + "…"
	}
	created := time.Unix(c.Created, 0)
	var names, labels []string
	for _, name := range c.Names {
		names = append(names, strings.TrimPrefix(name, "/"))
	}
	for _, key := range slices.Sorted(maps.Keys(c.Labels)) {
		labels = append(labels, key+"="+c.Labels[key])
	}
	row := map[string]string{"ID": o.id(c.ID), "Image": cmp.Or(c.Image, "<no image>"), "Command": strconv.Quote(command),
		"CreatedAt": created.String(), "RunningFor": units.HumanDuration(o.Now.Sub(created)) + " ago", "Status": c.Status, "State": c.State,
		"Ports": dockerPorts(c.Ports), "Names": strings.Join(names, ","), "Labels": strings.Join(labels, ","),
		"Networks": strings.Join(slices.Sorted(maps.Keys(c.NetworkSettings.Networks)), ",")}
	if o.Compose {
		row["Name"], row["Service"] = row["Names"], c.Labels["com.docker.compose.service"]
	}
	return row
}

// dockerPorts lists ports as docker ps does: those of one address that only differ by one are a range, unless they have
// another number outside; a range is told of when it breaks off (docker cli, formatter.DisplayablePorts).
func dockerPorts(ports []types.Port) string {
	var open []portRange
	var told, moved []string
	for _, p := range slices.SortedStableFunc(slices.Values(ports), compareDockerPorts) {
		if p.IP != "" && p.PublicPort != p.PrivatePort {
			moved = append(moved, fmt.Sprintf("%s->%d/%s", net.JoinHostPort(p.IP, strconv.Itoa(int(p.PublicPort))), p.PrivatePort, p.Type))
			continue
		}
		i := slices.IndexFunc(open, func(r portRange) bool { return r.ip == p.IP && r.proto == p.Type })
		switch {
		case i < 0:
			open = append(open, portRange{p.IP, p.Type, p.PrivatePort, p.PrivatePort})
		case open[i].last+1 == p.PrivatePort:
			open[i].last++
		default:
			told = append(told, open[i].String())
			open[i].first, open[i].last = p.PrivatePort, p.PrivatePort
		}
	}
	for _, r := range open {
		told = append(told, r.String())
	}
	return strings.Join(append(told, moved...), ", ")
}

// portRange is ports that follow each other.
type portRange struct {
	ip, proto   string // without an address they are only exposed
	first, last uint16
}

func (r portRange) String() string {
	text := strconv.Itoa(int(r.first))
	if r.last > r.first {
		text += "-" + strconv.Itoa(int(r.last))
	}
	if r.ip != "" {
		text = net.JoinHostPort(r.ip, text) + "->" + text
	}
	return text + "/" + r.proto
}

func compareDockerPorts(a, b types.Port) int {
	return cmp.Or(cmp.Compare(a.PrivatePort, b.PrivatePort), cmp.Compare(a.IP, b.IP), cmp.Compare(a.PublicPort, b.PublicPort), cmp.Compare(a.Type, b.Type))
}

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

// Info asks the engine what it is.
func (c *Client) Info(ctx context.Context) (*types.Info, error) {
	i := &types.Info{}
	return i, c.do(ctx, http.MethodGet, "/info", nil, nil, i)
}

// DockerInfo writes what docker info does, as far as there is something to say.
func DockerInfo(w io.Writer, i *types.Info) error {
	_, err := fmt.Fprintf(w, `Server:
 Containers: %d
  Running: %d
  Paused: %d
  Stopped: %d
 Images: %d
 Server Version: %s
 Storage Driver: %s
 Swarm: %s
 Operating System: %s
 OSType: %s
 Architecture: %s
 CPUs: %d
 Name: %s
`, i.Containers, i.ContainersRunning, i.ContainersPaused, i.ContainersStopped, i.Images, i.ServerVersion, i.Driver, i.Swarm.LocalNodeState,
		i.OperatingSystem, i.OSType, i.Architecture, i.NCPU, i.Name)
	for _, line := range i.Warnings {
		if err == nil {
			_, err = fmt.Fprintln(w, "WARNING:", line)
		}
	}
	return err
}
