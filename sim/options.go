package sim

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	vswitch "uswitch/switch"
)

// options are the words that may follow, each with its value.
type options map[string]func(value string) error

func readOptions(words []string, known options) error {
	for ; len(words) > 0; words = words[min(2, len(words)):] {
		set := known[words[0]]
		switch {
		case set == nil:
			return fmt.Errorf("%q: want one of %s", words[0], strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		case len(words) == 1:
			return fmt.Errorf("%s: a value is missing", words[0])
		}
		if err := set(words[1]); err != nil {
			return fmt.Errorf("%s: %w", words[0], err)
		}
	}
	return nil
}

// knobOptions sets a port's knobs by the names that the Linux bridge has for them.
func knobOptions(k *vswitch.Knobs) options {
	o := options{"storm_limit": func(s string) error { return numberOption(&k.StormLimit, s) }}
	for name, knob := range map[string]*bool{"learning": &k.Learning, "flood": &k.Flood, "mcast_flood": &k.MulticastFlood,
		"bcast_flood": &k.BroadcastFlood, "isolated": &k.Isolated} {
		o[name] = func(s string) error { return switchOption(knob, s) }
	}
	return o
}

func addressOption(a *netip.Addr, none *bool, s string) (err error) {
	if s == "none" {
		*a = netip.Addr{}
		if none != nil {
			*none = true
		}
		return nil
	}
	if *a, err = netip.ParseAddr(s); err != nil || !a.Is4() {
		return fmt.Errorf("%q: want an IPv4 address", s)
	}
	return nil
}

func numberOption(n *int, s string) (err error) {
	if *n, err = strconv.Atoi(s); err != nil || *n < 0 || *n > 1<<20 {
		return fmt.Errorf("%q: want a number from 0 to %d", s, 1<<20)
	}
	return nil
}

func durationOption(d *time.Duration, s string) (err error) {
	if *d, err = time.ParseDuration(s); err != nil || *d < 0 || *d > maxDuration {
		return fmt.Errorf("%q: want a time up to %v, as in 300s or 1.5ms", s, maxDuration)
	}
	return nil
}

// maxDuration keeps sums of times far from overflow.
const maxDuration = 30 * 24 * time.Hour

func chanceOption(p *float64, s string) (err error) {
	if *p, err = strconv.ParseFloat(s, 64); err != nil || !(*p >= 0 && *p <= 1) {
		return fmt.Errorf("%q: want a number from 0 to 1", s)
	}
	return nil
}

func switchOption(b *bool, s string) error {
	if s != "on" && s != "off" {
		return fmt.Errorf("%q: want on or off", s)
	}
	*b = s == "on"
	return nil
}
