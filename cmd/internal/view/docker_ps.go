package view

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"

	"uswitch/cmd/internal/docker/engine/api"
)

// DockerOptions are what docker ps and docker network ls take for their lists.
type DockerOptions struct {
	Format  string // a template, or empty
	Quiet   bool   // ids only
	NoTrunc bool
	Now     time.Time
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
func DockerPs(w io.Writer, containers []api.Summary, o DockerOptions) error {
	usual := "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}"
	format := o.Format
	if o.Quiet && format == "" {
		format = "{{.ID}}"
	}
	heading := map[string]string{"ID": "CONTAINER ID", "Image": "IMAGE", "Command": "COMMAND", "CreatedAt": "CREATED AT", "RunningFor": "CREATED",
		"Status": "STATUS", "State": "STATE", "Ports": "PORTS", "Names": "NAMES", "Networks": "NETWORKS", "Labels": "LABELS"}
	rows := make([]map[string]string, 0, len(containers))
	for _, c := range containers {
		rows = append(rows, dockerContainer(c, o))
	}
	return dockerTable(w, format, usual, heading, rows)
}

func dockerContainer(c api.Summary, o DockerOptions) map[string]string {
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
	return map[string]string{"ID": o.id(c.ID), "Image": cmp.Or(c.Image, "<no image>"), "Command": strconv.Quote(command),
		"CreatedAt": created.String(), "RunningFor": units.HumanDuration(o.Now.Sub(created)) + " ago", "Status": c.Status, "State": c.State,
		"Ports": dockerPorts(c.Ports), "Names": strings.Join(names, ","), "Labels": strings.Join(labels, ","),
		"Networks": strings.Join(slices.Sorted(maps.Keys(c.NetworkSettings.Networks)), ",")}
}

// dockerPorts lists ports as docker ps does: those that only differ by one are a range, unless they have another number
// outside.
func dockerPorts(ports []api.Port) string {
	type span struct {
		where       string
		proto       string
		first, last uint16
	}
	var spans []span
	var moved []string
	for _, p := range sortedFunc(ports, compareDockerPorts) {
		if p.IP != "" && p.PublicPort != p.PrivatePort {
			moved = append(moved, fmt.Sprintf("%s:%d->%d/%s", p.IP, p.PublicPort, p.PrivatePort, p.Type))
			continue
		}
		if n := len(spans); n > 0 && spans[n-1].where == p.IP && spans[n-1].proto == p.Type && spans[n-1].last+1 == p.PrivatePort {
			spans[n-1].last = p.PrivatePort
			continue
		}
		spans = append(spans, span{p.IP, p.Type, p.PrivatePort, p.PrivatePort})
	}
	var all []string
	for _, s := range spans {
		text := strconv.Itoa(int(s.first))
		if s.last > s.first {
			text += "-" + strconv.Itoa(int(s.last))
		}
		if s.where != "" {
			text = s.where + ":" + text + "->" + text
		}
		all = append(all, text+"/"+s.proto)
	}
	return strings.Join(append(all, moved...), ", ")
}

func compareDockerPorts(a, b api.Port) int {
	return cmp.Or(cmp.Compare(a.IP, b.IP), cmp.Compare(a.Type, b.Type), cmp.Compare(a.PrivatePort, b.PrivatePort), cmp.Compare(a.PublicPort, b.PublicPort))
}
