package hosttool

import (
	"context"
	"net/http"
	"slices"

	"uswitch/cmd/internal/control/api"
)

// addrWords are words that `ip addr add` knows besides those that are answered.
var addrWords = []string{"peer", "remote", "broadcast", "brd", "anycast", "scope", "label", "metric", "home", "nodad", "mngtmpaddr",
	"noprefixroute", "autojoin", "valid_lft", "preferred_lft", "proto"}

// changeAddr reads [ local ] ADDRESS/LENGTH dev NAME. Broadcast addresses are the network's own, whatever is said of them.
func (i *ip) changeAddr(ctx context.Context, command string) (err error) {
	text, dev := "", ""
	for {
		word, more := i.next()
		switch {
		case !more:
			return i.sendAddr(ctx, command, text, dev)
		case word == "dev":
			err = i.set(word, &dev)
		case word == "local":
			err = i.set(word, &text)
		case word == "brd" || word == "broadcast":
			_, err = i.value()
		case slices.Contains(addrWords, word):
			err = i.unanswered(word)
		default:
			err = place(word, &text, "local")
		}
		if err != nil {
			return err
		}
	}
}

func (i *ip) sendAddr(ctx context.Context, command, text, dev string) error {
	if dev == "" {
		return refuse(1, `Not enough information: "dev" argument is required.`)
	}
	if text == "" {
		return refuse(2, "RTNETLINK answers: Operation not supported")
	}
	p, err := prefix(text)
	if err != nil || p.Bits() == 0 {
		return refuse(1, "Error: any valid prefix is expected rather than %q.", text)
	}
	rows, err := i.devices(ctx)
	if err != nil {
		return err
	}
	if _, ok := named(rows, dev); !ok {
		return refuse(1, "Cannot find device %q", dev)
	}
	method := http.MethodPost
	if command == "delete" {
		method = http.MethodDelete
	}
	return i.Lab.Do(ctx, method, "/v1/addresses", nil, api.AddressChange{Address: p, Dev: dev}, nil)
}

// selected reads what devices are asked for, and gets them: [ [dev] NAME ] [ master NAME ] [ type KIND ] [ up ].
func (i *ip) selected(ctx context.Context) ([]api.Device, error) {
	var dev, master, kind string
	for {
		word, more := i.next()
		var err error
		switch {
		case !more:
			return i.find(ctx, dev, master, kind)
		case word == "up": // here everything is
		case word == "master":
			err = i.set(word, &master)
		case word == "type":
			err = i.set(word, &kind)
		case slices.Contains(linkFilters, word):
			err = i.unanswered(word)
		default:
			if word == "dev" {
				word, err = i.value()
			}
			if err == nil {
				err = place(word, &dev, "dev")
			}
		}
		if err != nil {
			return nil, err
		}
	}
}

func (i *ip) find(ctx context.Context, dev, master, kind string) ([]api.Device, error) {
	rows, err := i.devices(ctx)
	if err != nil {
		return nil, err
	}
	if _, ok := named(rows, dev); dev != "" && !ok {
		return nil, refuse(1, "Device %q does not exist.", dev)
	}
	if _, ok := named(rows, master); master != "" && !ok {
		return nil, refuse(255, "Error: argument %q is wrong: Device does not exist\n", master)
	}
	return choose(rows, func(d api.Device) bool {
		return (dev == "" || d.Name == dev) && (master == "" || d.Master == master) && (kind == "" || d.Kind == kind)
	}), nil
}
