package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/tools/hosttool"
	"uswitch/cmd/internal/tools/view"
	"uswitch/cmd/internal/words"
)

func newConntrack() *cobra.Command {
	var o conntrackOptions
	c := &cobra.Command{
		Use:     "conntrack -L|-E|-D|-F|-C",
		Short:   "The gateway's connections, as the conntrack tool has them",
		Example: "  uswitch conntrack -L",
		GroupID: groupLook,
		Args:    usage(cobra.MaximumNArgs(1)), // the table's name, of which there is one
	}
	f := c.Flags()
	f.BoolVarP(&o.list, "dump", "L", false, "list the connections")
	f.BoolVarP(&o.events, "event", "E", false, "show changes as they happen")
	f.BoolVarP(&o.forget, "delete", "D", false, "forget the connections that match")
	f.BoolVarP(&o.flush, "flush", "F", false, "forget all connections")
	f.BoolVarP(&o.count, "count", "C", false, "count the connections")
	f.StringVarP(&o.filter.Proto, "proto", "p", "", "only `PROTOCOL`: tcp, udp, icmp, icmpv6 or a number")
	f.StringVarP(&o.filter.Family, "family", "f", "", "only `FAMILY`: ipv4 or ipv6")
	f.StringVarP(&o.filter.OrigSrc, "orig-src", "s", "", "only from `ADDRESS`, or network")
	f.StringVarP(&o.filter.OrigDst, "orig-dst", "d", "", "only to `ADDRESS`, or network")
	f.StringVarP(&o.filter.ReplySrc, "reply-src", "r", "", "only with answers from `ADDRESS`")
	f.StringVarP(&o.filter.ReplyDst, "reply-dst", "q", "", "only with answers to `ADDRESS`")
	f.StringVar(&o.filter.Sport, "sport", "", "only from `PORT`")
	f.StringVar(&o.filter.Dport, "dport", "", "only to `PORT`")
	f.BoolVarP(&o.filter.SNAT, "src-nat", "n", false, "only those whose source was translated")
	f.BoolVarP(&o.filter.DNAT, "dst-nat", "g", false, "only those whose destination was translated")
	f.StringSliceVarP(&o.output, "output", "o", nil, "`FORMAT`: extended, id, json")
	name := labFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error { return o.run(c.Context(), *name) }
	return c
}

// conntrackOptions are the options of one call.
type conntrackOptions struct {
	list, events, forget, flush, count bool

	filter api.ConnFilter
	output []string
	view   view.ConnOptions
	json   bool
}

// run does what is asked for. To look at the connections, no lab need be up.
func (o *conntrackOptions) run(ctx context.Context, name string) error {
	for _, format := range o.output {
		switch format {
		case "extended":
			o.view.Extended = true
		case "id":
			o.view.ID = true
		case "json":
			o.json = true
		default:
			return usageError{words.Errorf("conntrack: -o %s: want extended, id or json", format)}
		}
	}
	onLab := func(do func(lab *api.Client) error) error {
		lab, err := findLab(name)
		if err != nil {
			return err
		}
		return do(lab)
	}
	switch [5]bool{o.list, o.events, o.forget, o.flush, o.count} {
	case [5]bool{0: true}:
		return withLabOrPlan(ctx, name, o.listConns)
	case [5]bool{1: true}:
		return onLab(o.follow)
	case [5]bool{2: true}:
		return onLab(func(lab *api.Client) error { return o.delete(ctx, lab, o.filter, "deleted") })
	case [5]bool{3: true}:
		return onLab(func(lab *api.Client) error { return o.delete(ctx, lab, api.ConnFilter{}, "") })
	case [5]bool{4: true}:
		return withLabOrPlan(ctx, name, o.countConns)
	}
	return usageError{words.Errorf("conntrack: want exactly one of -L, -E, -D, -F and -C")}
}

// footer is what conntrack writes to standard error.
func footer(n int, what string) {
	fmt.Fprintf(os.Stderr, "conntrack v1.4.7 (uswitch): %d flow entries have been %s.\n", n, what)
}

func (o *conntrackOptions) get(ctx context.Context, lab hosttool.Lab) (rows []api.Conn, err error) {
	err = lab.Get(ctx, "/v1/conntrack", o.filter.Query(), &rows)
	return rows, err
}

func (o *conntrackOptions) listConns(ctx context.Context, lab hosttool.Lab) error {
	rows, err := o.get(ctx, lab)
	if err != nil {
		return err
	}
	if o.json {
		return view.JSON(os.Stdout, rows)
	}
	if err := view.Conns(os.Stdout, rows, o.view); err != nil {
		return err
	}
	footer(len(rows), "shown")
	return nil
}

func (o *conntrackOptions) countConns(ctx context.Context, lab hosttool.Lab) error {
	rows, err := o.get(ctx, lab)
	if err == nil {
		fmt.Println(len(rows))
	}
	return err
}

// delete forgets what matches; as with the real tool nothing found is an error, except for -F.
func (o *conntrackOptions) delete(ctx context.Context, lab *api.Client, filter api.ConnFilter, what string) error {
	var count api.Count
	if err := lab.Do(ctx, http.MethodDelete, "/v1/conntrack", filter.Query(), nil, &count); err != nil {
		return err
	}
	if what == "" {
		fmt.Fprintln(os.Stderr, "conntrack v1.4.7 (uswitch): connection tracking table has been emptied.")
		return nil
	}
	footer(count.Count, what)
	if count.Count == 0 {
		return statusError(1)
	}
	return nil
}

func (o *conntrackOptions) follow(lab *api.Client) error {
	ctx, stop := session.Interruptible()
	defer stop()
	q := o.filter.Query()
	q.Set("follow", "1")
	answer, err := lab.Stream(ctx, http.MethodGet, "/v1/conntrack", q, nil)
	if err != nil {
		return err
	}
	defer answer.Close()
	in := io.Reader(answer)
	if o.json {
		_, err := io.Copy(os.Stdout, in)
		return session.StreamEnd(ctx, lab.Lab(), err)
	}
	for decoder := json.NewDecoder(in); ; {
		var e api.ConnEvent
		if err := decoder.Decode(&e); err != nil {
			return session.StreamEnd(ctx, lab.Lab(), err)
		}
		if err := view.ConnEvent(os.Stdout, e, o.view); err != nil {
			return session.StreamEnd(ctx, lab.Lab(), err)
		}
	}
}
