package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"

	"uswitch/cmd/internal/docker/types"
)

// StatsOptions say how docker stats writes.
type StatsOptions struct {
	All    bool // also containers that do not run
	Once   bool
	Format string
	Redraw bool // each time in the place of the time before
}

// statsInterval is how often it is looked, and between which looks processor time is counted.
const statsInterval = time.Second

// statsHeadings are those of docker stats.
var statsHeadings = map[string]string{"ID": "CONTAINER ID", "Container": "CONTAINER", "Name": "NAME", "CPUPerc": "CPU %", "MemUsage": "MEM USAGE / LIMIT",
	"MemPerc": "MEM %", "NetIO": "NET I/O", "BlockIO": "BLOCK I/O", "PIDs": "PIDS"}

const statsTable = "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}"

// Stats writes what containers use, of all that run if none is named, until ctx ends.
func (c *Client) Stats(ctx context.Context, w io.Writer, references []string, o StatsOptions) error {
	before := map[string]*types.Stats{}
	for round := 0; ; round++ {
		now, err := c.statsOf(ctx, references, o.All)
		if err != nil {
			return err
		}
		if round > 0 || len(now) == 0 {
			var rows []map[string]string
			for _, s := range now {
				rows = append(rows, statsRow(s, before[s.ID]))
			}
			if o.Redraw && !o.Once {
				fmt.Fprint(w, "\033[2J\033[H")
			}
			if err := dockerTable(w, o.Format, statsTable, statsHeadings, rows); err != nil || o.Once {
				return err
			}
		}
		for _, s := range now {
			before[s.ID] = s
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(statsInterval):
		}
	}
}

func (c *Client) statsOf(ctx context.Context, references []string, all bool) (stats []*types.Stats, err error) {
	if len(references) == 0 {
		rows, err := c.Containers(ctx, all)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			references = append(references, r.ID)
		}
	}
	for _, reference := range references {
		s := &types.Stats{}
		if err := c.do(ctx, http.MethodGet, escaped("/containers/%s/stats", reference), url.Values{"stream": {"false"}}, nil, s); err != nil {
			return nil, err
		}
		stats = append(stats, s)
	}
	return stats, nil
}

// statsRow is a line of docker stats. What is not known is "--", as Docker has it; what is read from and written to disks never is known.
func statsRow(s, before *types.Stats) map[string]string {
	const unknown = "--"
	row := map[string]string{"ID": s.ID[:12], "Container": s.ID[:12], "Name": strings.TrimPrefix(s.Name, "/"), "CPUPerc": unknown, "MemUsage": unknown + " / " + unknown,
		"MemPerc": unknown, "NetIO": unknown, "BlockIO": unknown, "PIDs": unknown}
	if s.Read.IsZero() {
		return row
	}
	var in, out uint64
	for _, t := range s.Networks {
		in, out = in+t.Received, out+t.Sent
	}
	row["NetIO"] = units.HumanSizeWithPrecision(float64(in), 3) + " / " + units.HumanSizeWithPrecision(float64(out), 3)
	if s.PIDs.Current == 0 {
		return row // it has no processes of this machine's
	}
	if before != nil && !before.Read.IsZero() && s.Read.After(before.Read) {
		row["CPUPerc"] = fmt.Sprintf("%.2f%%", 100*float64(int64(s.CPU.Usage.Total-before.CPU.Usage.Total))/float64(s.Read.Sub(before.Read)))
	}
	row["MemUsage"] = units.BytesSize(float64(s.Memory.Usage)) + " / " + units.BytesSize(float64(s.Memory.Limit))
	row["MemPerc"] = fmt.Sprintf("%.2f%%", 100*float64(s.Memory.Usage)/float64(max(s.Memory.Limit, 1)))
	row["PIDs"] = strconv.Itoa(s.PIDs.Current)
	return row
}
