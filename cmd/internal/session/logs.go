package session

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
	"uswitch/cmd/internal/world"
)

// Logs writes what the hosts of a lab have written, each line with its host's name in front and, if times is set, when it was
// written. With q.Follow it goes on until the lab or ctx ends.
func Logs(ctx context.Context, c *api.Client, q api.LogQuery, times, colour bool, out io.Writer) error {
	width, err := longestName(ctx, c, q.Hosts)
	if err != nil {
		return err
	}
	answer, err := c.Stream(ctx, http.MethodGet, "/v1/logs", q.Query(), nil)
	if err != nil {
		return quiet(ctx, err)
	}
	defer answer.Close()
	decoder := json.NewDecoder(answer)
	for {
		var line api.LogLine
		if err := decoder.Decode(&line); err != nil {
			if err == io.EOF && !q.Follow {
				return nil
			}
			return StreamEnd(ctx, c.Lab(), err)
		}
		text := view.HostPrefix(line.Host, width, colour)
		if line.Lost > 0 {
			text = fmt.Sprintf("%suswitch: %d lines of %s are lost here: of what it writes the last %d KiB are kept\n", text, line.Lost, line.Host, world.LogBytes>>10) + text
		}
		if times {
			text += line.Time.Format(time.RFC3339Nano) + " "
		}
		if _, err := io.WriteString(out, text+line.Text+"\n"); err != nil {
			return quiet(ctx, err)
		}
	}
}

// longestName returns how long the longest name is of the hosts that may write.
func longestName(ctx context.Context, c *api.Client, hosts []string) (longest int, err error) {
	var rows []api.Host
	if len(hosts) == 0 {
		if err := c.Get(ctx, "/v1/hosts", nil, &rows); err != nil {
			return 0, err
		}
	}
	for _, h := range rows {
		if h.State != api.CommandNone {
			hosts = append(hosts, h.Name)
		}
	}
	for _, name := range hosts {
		longest = max(longest, len(name))
	}
	return longest, nil
}
