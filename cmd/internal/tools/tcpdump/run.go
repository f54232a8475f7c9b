package tcpdump

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/tcpdump/filter"
)

// Run prints, or writes to a file, what passes at a device of a lab until ctx or the lab ends, or there were as many frames
// as were asked for. What tcpdump says beside that goes to errs.
func Run(ctx context.Context, lab *api.Client, o Options, out, errs io.Writer) error {
	names, err := hosts(ctx, lab)
	if err != nil {
		return err
	}
	f, err := filter.Parse(o.Filter, names)
	if err != nil {
		return refuse("%v", err)
	}
	answer, err := lab.Follow(ctx, "/v1/frames", url.Values{"device": {o.Device}})
	if err != nil {
		var e *api.Error
		if errors.As(err, &e) && e.Code == http.StatusNotFound {
			return refuse("%s", e.Message)
		}
		return err
	}
	defer answer.Close()

	several := o.Device == api.AnyDevice || o.Device == api.GatewayDevice
	sink := sink(&lines{out, Printer{Link: o.Link, NoTime: o.NoTime, Device: several}})
	if o.Write != "" {
		file, err := create(o.Write, o.Force, out)
		if err != nil {
			return refuse("%v", err)
		}
		defer file.Close()
		sink = &capture{out: file, cooked: several}
	} else {
		fmt.Fprintln(errs, "tcpdump: verbose output suppressed, use -e for the addresses of the link, and `uswitch trace` for full protocol decode")
	}
	fmt.Fprintf(errs, "listening on %s\n", o.Device)
	return listen(json.NewDecoder(answer), o, f, sink, errs)
}

// sink takes the frames that match.
type sink interface{ frame(*api.Frame) error }

// listen hands on frames until the stream ends, and says how many there were.
func listen(in *json.Decoder, o Options, f *filter.Filter, to sink, errs io.Writer) error {
	captured, dropped := 0, uint64(0)
	var err error
	for err == nil && (o.Count == 0 || captured < o.Count) {
		var next api.Frame
		if err = in.Decode(&next); err != nil {
			break
		}
		dropped += next.Lost
		if next.Lost == 0 && f.Match(next.Data, next.IP) {
			captured++
			err = to.frame(&next)
		}
	}
	if errors.Is(err, api.ErrUnfinished) {
		fmt.Fprintf(errs, "tcpdump: up to %d packets at the end are missing, and not counted: they did not come in time\n", api.QueueEvents)
	}
	fmt.Fprintf(errs, "%d packets captured\n%d packets received by filter\n%d packets dropped by kernel\n", captured, captured, dropped)
	return err
}

// lines prints frames.
type lines struct {
	out io.Writer
	Printer
}

func (l *lines) frame(f *api.Frame) error {
	_, err := fmt.Fprintln(l.out, l.Line(f))
	return err
}

// hosts returns the addresses that filters mean by a host's name.
func hosts(ctx context.Context, lab *api.Client) (filter.Names, error) {
	var all []api.Host
	if err := lab.Get(ctx, "/v1/hosts", nil, &all); err != nil {
		return nil, err
	}
	var networks []api.Network
	if err := lab.Get(ctx, "/v1/networks", nil, &networks); err != nil {
		return nil, err
	}
	addresses := map[string][]netip.Addr{}
	for _, h := range all {
		for _, i := range h.Interfaces {
			addresses[h.Name] = append(addresses[h.Name], i.Address.Addr())
		}
	}
	for _, n := range networks {
		addresses[api.GatewayDevice] = append(addresses[api.GatewayDevice], n.Gateway)
	}
	return func(name string) []netip.Addr { return addresses[name] }, nil
}

// Options are what a call of tcpdump says.
type Options struct {
	Device string // -i: a network, a host or the name of its cable, the uplink, gateway, or any
	Link   bool   // -e
	NoTime bool   // -t
	Count  int    // -c; 0: until it is interrupted
	Write  string // -w: a pcap file; - is standard output; empty: lines
	Force  bool   // --force, which is not tcpdump's: the file may exist, as that of uswitch capture
	Filter string // all other words
}

// Parse reads a command line. -n, -l and -U are taken, and are so anyway: names are not looked up, and every line is
// written at once.
func Parse(args []string) (o Options, err error) {
	var filter []string
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		if word == "--force" && len(filter) == 0 {
			o.Force = true
			continue
		}
		if len(word) < 2 || word[0] != '-' || len(filter) > 0 {
			filter = append(filter, word)
			continue
		}
		for word = word[1:]; word != ""; word = word[1:] {
			switch word[0] {
			case 'n', 'l', 'U':
				continue
			case 'e':
				o.Link = true
				continue
			case 't':
				o.NoTime = true
				continue
			case 'i', 'c', 'w':
			default:
				return o, refuse("option -%c is not answered here; there are -i -n -e -t -l -U -c -w --force", word[0])
			}
			value := word[1:]
			if value == "" {
				if len(args) == 0 {
					return o, refuse("option requires an argument -- '%c'", word[0])
				}
				value, args = args[0], args[1:]
			}
			if err := o.set(word[0], value); err != nil {
				return o, err
			}
			break
		}
	}
	if o.Device == "" {
		return o, refuse("want -i and a network, a host, uplink, gateway or any")
	}
	o.Filter = strings.Join(filter, " ")
	return o, nil
}

func (o *Options) set(option byte, value string) (err error) {
	switch option {
	case 'i':
		o.Device = value
	case 'w':
		o.Write = value
	case 'c':
		if o.Count, err = strconv.Atoi(value); err != nil || o.Count <= 0 {
			return refuse("invalid packet count %s", value)
		}
	}
	return nil
}

// refuse returns an error in tcpdump's form, with its status.
func refuse(format string, args ...any) error {
	return &api.Error{Status: 1, Message: "tcpdump: " + fmt.Sprintf(format, args...)}
}
