package tcpdump

import (
	"fmt"
	"strconv"
	"strings"

	"uswitch/cmd/internal/control/api"
)

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
