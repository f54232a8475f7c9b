package hosttool

import (
	"context"
	"slices"

	"uswitch/cmd/internal/control/api"
)

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
