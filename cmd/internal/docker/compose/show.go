package compose

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"

	"uswitch/cmd/internal/docker/types"
)

// Find returns one container of a service: the one with this number, or, where it is 0, the first that runs.
func (c *Compose) Find(ctx context.Context, project, service string, n int) (*types.Summary, error) {
	rows, err := c.Containers(ctx, project)
	if err != nil {
		return nil, err
	}
	for _, s := range of(rows, service) {
		if s.State == "running" && (n == 0 || number(s) == n) {
			return &s, nil
		}
	}
	if n > 0 {
		return nil, fmt.Errorf("service %q is not running container #%d", service, n)
	}
	return nil, fmt.Errorf("service %q is not running", service)
}

// LogOptions are those of docker compose logs.
type LogOptions struct {
	Follow, Timestamps bool
	NoPrefix           bool // lines as they were written
	Tail               string
}

// Logs writes what containers have written, each line with its container's name in front. Followed, they are read side by side;
// else one after the other.
func (c *Compose) Logs(ctx context.Context, project string, rows []types.Summary, o LogOptions, out, errOut io.Writer) error {
	width := 0
	for _, s := range rows {
		width = max(width, len(short(project, s)))
	}
	var writing sync.Mutex
	read := func(s types.Summary) error {
		container, err := c.Docker.Container(ctx, s.ID)
		if err != nil {
			return err
		}
		prefix := fmt.Sprintf("%-*s  | ", width, short(project, s))
		if o.NoPrefix {
			prefix = ""
		}
		to := &lines{to: out, prefix: prefix, writing: &writing}
		toErr := &lines{to: errOut, prefix: prefix, writing: &writing}
		defer to.end()
		defer toErr.end()
		q := url.Values{"stdout": {"1"}, "stderr": {"1"}, "tail": {o.Tail}, "follow": {fmt.Sprint(o.Follow)}, "timestamps": {fmt.Sprint(o.Timestamps)}}
		return c.Docker.Logs(ctx, s.ID, q, func(r io.Reader) error {
			if container.Config.Tty {
				_, err := io.Copy(to, r)
				return err
			}
			return types.Demultiplex(r, to, toErr)
		})
	}
	if !o.Follow {
		for _, s := range rows {
			if err := read(s); err != nil {
				return err
			}
		}
		return nil
	}
	failed := make([]error, len(rows))
	var all sync.WaitGroup
	for i, s := range rows {
		all.Go(func() { failed[i] = read(s) })
	}
	all.Wait()
	for _, err := range failed {
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// short is a container's name without its project's.
func short(project string, s types.Summary) string { return strings.TrimPrefix(nameOf(s), project+"-") }

// lines puts something before each line that is written, and writes whole lines only.
type lines struct {
	to      io.Writer
	prefix  string
	writing *sync.Mutex
	begun   []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.begun = append(l.begun, p...)
	for {
		i := bytes.IndexByte(l.begun, '\n')
		if i < 0 {
			return len(p), nil
		}
		if err := l.line(l.begun[:i+1]); err != nil {
			return 0, err
		}
		l.begun = l.begun[i+1:]
	}
}

func (l *lines) line(text []byte) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	_, err := fmt.Fprintf(l.to, "%s%s", l.prefix, text)
	return err
}

// end writes what was no whole line.
func (l *lines) end() {
	if len(l.begun) > 0 {
		_ = l.line(append(l.begun, '\n'))
		l.begun = nil
	}
}

// Select leaves the containers of services; none named: all of them.
func Select(rows []types.Summary, services []string) []types.Summary {
	if len(services) == 0 {
		return rows
	}
	return slices.DeleteFunc(rows, func(s types.Summary) bool { return !slices.Contains(services, s.Labels[labelService]) })
}

// ServiceOf returns the service that a container is of.
func ServiceOf(s types.Summary) string { return s.Labels[labelService] }
