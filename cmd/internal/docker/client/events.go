package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/docker/types"
)

// Events writes what happens as docker events does, from since on until until or for ever.
func (c *Client) Events(ctx context.Context, w io.Writer, since, until, format string, filters []string) error {
	q := url.Values{}
	now, err := c.lab.Now(ctx)
	if err != nil {
		return err
	}
	for key, text := range map[string]string{"since": since, "until": until} {
		if text == "" {
			continue
		}
		at, err := moment(text, now)
		if err != nil {
			return err
		}
		q.Set(key, fmt.Sprintf("%d.%09d", at.Unix(), at.Nanosecond()))
	}
	chosen := map[string]map[string]bool{}
	for _, f := range filters {
		key, value, ok := strings.Cut(f, "=")
		if !ok {
			return fmt.Errorf("invalid argument %q for \"-f, --filter\" flag: invalid filter '%s': want KEY=VALUE", f, f)
		}
		if chosen[key] == nil {
			chosen[key] = map[string]bool{}
		}
		chosen[key][value] = true
	}
	text, err := json.Marshal(chosen)
	if err != nil {
		return err
	}
	q.Set("filters", string(text))
	if format == "json" {
		format = "{{json .}}"
	}
	t, err := dockerTemplate(format)
	if err != nil {
		return err
	}
	answer, err := c.lab.Stream(ctx, http.MethodGet, api.DockerPath+"/events", q, nil)
	if err != nil {
		return fromDaemon(err)
	}
	defer answer.Close()
	for lines := json.NewDecoder(answer); ; {
		var e types.Event
		if err := lines.Decode(&e); errors.Is(err, io.EOF) || ctx.Err() != nil {
			return nil
		} else if err != nil {
			return err
		}
		line := eventLine(&e)
		if format != "" {
			if line, err = inspected(t, e); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
}

// eventLine is an event as a line of docker events.
func eventLine(e *types.Event) string {
	var attributes []string
	for _, key := range slices.Sorted(maps.Keys(e.Actor.Attributes)) {
		attributes = append(attributes, key+"="+e.Actor.Attributes[key])
	}
	return fmt.Sprintf("%s %s %s %s (%s)", time.Unix(0, e.TimeNano).Format("2006-01-02T15:04:05.000000000Z07:00"), e.Type, e.Action, e.Actor.ID,
		strings.Join(attributes, ", "))
}

// moment reads a time as docker's --since and --until have it: a duration before now (10m), seconds since 1970, or a date.
func moment(text string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(-d), nil
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		return time.Unix(0, int64(seconds*1e9)), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02Z07:00", "2006-01-02"} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("failed to parse value as time or duration: %q: want one as in 10m, 1136073845 or 2006-01-02T15:04:05", text)
}

// Top writes the processes of a container as docker top does.
func (c *Client) Top(ctx context.Context, w io.Writer, reference string, options []string) error {
	top := types.Top{}
	q := url.Values{}
	if len(options) > 0 {
		q.Set("ps_args", strings.Join(options, " "))
	}
	if err := c.do(ctx, http.MethodGet, escaped("/containers/%s/top", reference), q, nil, &top); err != nil {
		return err
	}
	out := tabwriter.NewWriter(w, 20, 1, 3, ' ', 0)
	fmt.Fprintln(out, strings.Join(top.Titles, "\t"))
	for _, row := range top.Processes {
		fmt.Fprintln(out, strings.Join(row, "\t"))
	}
	return out.Flush()
}
