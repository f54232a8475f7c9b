package hosttool

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
	"uswitch/switch/frame"
)

// Tool is where a command asks and where it writes. What is wrong comes back as an *api.Error with the words and the
// status of the real program.
type Tool struct {
	Lab Lab
	Out io.Writer
	// Exec runs a program in a host, with this process's input and output, and returns its status; output is where that goes which
	// it writes, if not nil. Nil: there is nobody who could.
	Exec func(ctx context.Context, host string, argv []string, output io.Writer) (status int, err error)
}

// Lab is who answers: the client of a lab that is up, for its gateway, or a simulated host for itself. The paths, and what is
// asked and answered, are those of package control/api.
type Lab interface {
	Get(ctx context.Context, path string, query url.Values, into any) error
	Do(ctx context.Context, method, path string, query url.Values, body, into any) error
}

// refuse returns a mistake of the person at the keyboard, with the program's status for it.
func refuse(status int, format string, args ...any) error {
	return &api.Error{Status: status, Message: fmt.Sprintf(format, args...)}
}

func (t Tool) devices(ctx context.Context) (rows []api.Device, err error) {
	err = t.Lab.Get(ctx, "/v1/devices", nil, &rows)
	return rows, err
}

// json is how iproute2's programs write JSON: not at all, on one line, or laid out.
type format struct{ json, pretty bool }

// write writes either the JSON of a value or a text.
func (t Tool) write(f format, json any, text func() error) error {
	if f.json {
		return view.IPRouteJSON(t.Out, json, f.pretty)
	}
	return text()
}

// choose returns the rows that are wanted, never nil.
func choose[T any](rows []T, want func(T) bool) []T {
	chosen := []T{}
	for _, r := range rows {
		if want(r) {
			chosen = append(chosen, r)
		}
	}
	return chosen
}

func named(rows []api.Device, name string) (api.Device, bool) {
	for _, d := range rows {
		if d.Name == name {
			return d, true
		}
	}
	return api.Device{}, false
}

// prefix reads a destination as iproute2 does: a prefix, an address, or default.
func prefix(text string) (netip.Prefix, error) {
	if text == "default" || text == "any" || text == "all" {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0), nil
	}
	if a, err := netip.ParseAddr(text); err == nil && a.Is4() {
		return netip.PrefixFrom(a, 32), nil
	}
	if p, err := netip.ParsePrefix(text); err == nil && p.Addr().Is4() {
		return p, nil
	}
	return netip.Prefix{}, refuse(1, "Error: any valid prefix is expected rather than %q.", text)
}

// prefix6 is prefix for IPv6.
func prefix6(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Is6() {
		return netip.PrefixFrom(a, 128), nil
	}
	if p, err := netip.ParsePrefix(text); err == nil && p.Addr().Is6() {
		return p, nil
	}
	return netip.Prefix{}, refuse(1, "Error: any valid prefix is expected rather than %q.", text)
}

func address(text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(text)
	if err != nil || a.Is4In6() || a.Zone() != "" {
		return a, refuse(1, "Error: any valid address is expected rather than %q.", text)
	}
	return a, nil
}

func hardware(text string) (frame.MAC, error) {
	mac, err := frame.ParseMAC(text)
	if err != nil {
		return mac, refuse(1, "%q is invalid lladdr.", text)
	}
	return mac, nil
}

// letters are the options of one letter of a program that reads them with getopt, which may stand together and anywhere.
type letters struct {
	program string
	flags   map[byte]*bool
	values  map[byte]*string
	long    map[string]byte // --numeric for n
}

// parse takes the options off a command line and returns what else there is.
func (l letters) parse(args []string) (rest []string, err error) {
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		switch {
		case strings.HasPrefix(word, "--"):
			letter, ok := l.long[word[2:]]
			if !ok {
				return nil, l.unknown(word)
			}
			word = "-" + string(letter)
		case len(word) < 2 || word[0] != '-':
			rest = append(rest, word)
			continue
		}
		for word = word[1:]; word != ""; word = word[1:] {
			value := l.values[word[0]]
			flag := l.flags[word[0]]
			switch {
			case flag != nil:
				*flag = true
				continue
			case value == nil:
				return nil, l.unknown("-" + word[:1])
			case len(word) > 1:
				*value = word[1:]
			case len(args) > 0:
				*value, args = args[0], args[1:]
			default:
				return nil, refuse(3, "%s: option requires an argument -- '%s'", l.program, word[:1])
			}
			break
		}
	}
	return rest, nil
}

func (l letters) unknown(option string) error {
	return refuse(3, "%s: option %s is not answered here, try \"uswitch %s -h\".", l.program, option, l.program)
}
