package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/hosttool"
	"uswitch/cmd/internal/tools/view"
	"uswitch/cmd/internal/words"
)

// Live is a lab that is up.
type Live struct {
	Lab     *api.Client
	Program string // uswitch itself, by which commands get into hosts
	NoSend  bool   // no packet is sent for a question: what is predicted of it decides
}

// NewLive returns a lab that is up as something to check, by this very program.
func NewLive(lab *api.Client) (Live, error) {
	program, err := os.Executable()
	return Live{Lab: lab, Program: program}, err
}

// Explain implements Subject.
func (l Live) Explain(ctx context.Context, q api.Question) (*api.Answer, error) {
	a := new(api.Answer)
	return a, l.Lab.Do(ctx, http.MethodPost, "/v1/explain", nil, q, a)
}

// WhyNot implements Subject.
func (l Live) WhyNot(ctx context.Context, q api.Question) (*api.Advice, error) {
	a := new(api.Advice)
	return a, l.Lab.Do(ctx, http.MethodPost, "/v1/why-not", nil, q, a)
}

// Send implements Subject.
func (l Live) Send(ctx context.Context, asked []api.Asked) (sent []*api.Sent, err error) {
	if l.NoSend {
		return make([]*api.Sent, len(asked)), nil
	}
	err = l.Lab.Do(ctx, http.MethodPost, "/v1/probes", nil, asked, &sent)
	if err == nil && len(sent) != len(asked) {
		err = words.Errorf("%d packets were sent, and the lab tells of %d", len(asked), len(sent))
	}
	return sent, err
}

// Table implements Subject, with the rows as their tools print them.
func (l Live) Table(ctx context.Context, name string) ([]string, error) {
	var out bytes.Buffer
	tool := hosttool.Tool{Lab: l.Lab, Out: &out}
	var err error
	switch name {
	case "fdb":
		err = rowsOf(ctx, l.Lab, "/v1/fdb", &out, func(w io.Writer, rows []api.FDBEntry) error { return view.FDB(w, view.WithoutAges(rows), false) })
	case "neigh":
		err = tool.IP(ctx, []string{"neigh"})
	case "routes":
		err = tool.IP(ctx, []string{"route"})
	case "conntrack":
		err = rowsOf(ctx, l.Lab, "/v1/conntrack", &out, func(w io.Writer, rows []api.Conn) error { return view.Conns(w, rows, view.ConnOptions{}) })
	case "hosts":
		err = rowsOf(ctx, l.Lab, "/v1/hosts", &out, view.Hosts)
	case "networks":
		err = rowsOf(ctx, l.Lab, "/v1/networks", &out, view.Networks)
	case "ports":
		err = rowsOf(ctx, l.Lab, "/v1/ports", &out, view.Ports)
	case "drops":
		err = rowsOf(ctx, l.Lab, "/v1/drops", &out, view.Drops)
	case "published":
		err = rowsOf(ctx, l.Lab, "/v1/publish", &out, view.Published)
	case "rules":
		text := ""
		err = l.Lab.Get(ctx, "/v1/iptables-save", nil, &text)
		return ruleRows(text), err
	default:
		err = words.Errorf("table %s: there is no such table", name)
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n"), err
}

func rowsOf[T any](ctx context.Context, lab *api.Client, path string, out io.Writer, write func(io.Writer, []T) error) error {
	var rows []T
	if err := lab.Get(ctx, path, nil, &rows); err != nil {
		return err
	}
	return write(out, rows)
}

// ruleRows turns what iptables-save prints into lines of iptables: -t nat -A POSTROUTING ..., -t filter -P FORWARD DROP.
func ruleRows(saved string) (rows []string) {
	table := ""
	for line := range strings.Lines(saved) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "*"):
			table = line[1:]
		case strings.HasPrefix(line, ":"):
			if fields := strings.Fields(line[1:]); len(fields) > 1 {
				rows = append(rows, "-t "+table+" -P "+fields[0]+" "+fields[1])
			}
		case strings.HasPrefix(line, "-"):
			rows = append(rows, "-t "+table+" "+line)
		}
	}
	return rows
}

// Command implements Subject.
func (l Live) Command(ctx context.Context, host string, argv []string) (output string, status int, err error) {
	if host != "" {
		argv = append([]string{l.Program, "exec", "--lab", l.Lab.Lab(), host, "--"}, argv...)
	} else if argv[0] == "uswitch" {
		argv = append([]string{l.Program}, argv[1:]...)
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "USWITCH_LAB="+l.Lab.Lab())
	text, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && ctx.Err() == nil && cannotRun(host, exit.ExitCode()):
		return "", 0, errors.New(strings.TrimSpace(string(text)))
	case errors.As(err, &exit) && ctx.Err() == nil:
		err = nil
	}
	if err != nil {
		return "", 0, fmt.Errorf("%s: %w", argv[0], err)
	}
	return string(text), cmd.ProcessState.ExitCode(), nil
}

// cannotRun reports whether a status is that of `uswitch exec` for a program that is not there, or may not be run.
func cannotRun(host string, status int) bool { return host != "" && (status == 126 || status == 127) }
