package ping

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/spf13/pflag"
)

// Options are what a person can say.
type Options struct {
	Addresses []netip.Addr          // one after the other
	Names     map[netip.Addr]string // what they were called, those that were not given as addresses
	Count     int                   // echoes to each; 0: until interrupted
	Interval  time.Duration         // between two echoes
	Wait      time.Duration         // for an answer to the last one; 0: as long as iputils' ping by itself
	Size      int                   // of the payload in bytes
	TTL       int                   // 0: the system's own, 64
	Numeric   bool                  // answers come from addresses only
	Quiet     bool                  // nothing is written about single answers
}

// LookUp finds the address of a name.
type LookUp func(name string) (netip.Addr, error)

// Limits of an echo: the largest payload that fits an IPv4 packet, and the smallest that has room for a time stamp.
const (
	maxSize   = 65507
	timestamp = 8
)

// Flags are the options as iputils names them.
func Flags(set *pflag.FlagSet) func(args []string, lookUp LookUp) (Options, error) {
	count := set.IntP("count", "c", 0, "stop after `N` echoes to each address; 0: until Ctrl-C")
	interval := set.Float64P("interval", "i", 1, "`SECONDS` between two echoes")
	wait := set.Float64P("timeout", "W", 1, "`SECONDS` to wait for the last answers")
	size := set.IntP("size", "s", 56, "payload `BYTES`")
	ttl := set.IntP("ttl", "t", 0, "time to live in `HOPS`; 0: the system's own")
	numeric := set.BoolP("numeric", "n", false, "print addresses of answers, no names")
	return func(args []string, lookUp LookUp) (Options, error) {
		o := Options{Count: *count, Interval: seconds(*interval), Wait: seconds(*wait), Size: *size, TTL: *ttl, Numeric: *numeric,
			Names: map[netip.Addr]string{}}
		for _, arg := range args {
			a, err := Find(arg, lookUp)
			if err != nil {
				return o, err
			}
			if a.String() != arg {
				o.Names[a] = arg
			}
			o.Addresses = append(o.Addresses, a)
		}
		return o, o.check()
	}
}

// Find finds the address of what was given, which may be one itself.
func Find(arg string, lookUp LookUp) (a netip.Addr, err error) {
	if a, err = netip.ParseAddr(arg); err != nil && lookUp != nil {
		if a, err = lookUp(arg); err != nil {
			return a, err
		}
	}
	if err != nil {
		return a, fmt.Errorf("%q: want an address, as in 11.11.11.3 or fd00:1::3", arg)
	}
	return a.Unmap(), nil
}

// Parse reads a command line, the words after ping. Without a LookUp nobody has a name.
func Parse(args []string, lookUp LookUp) (Options, error) {
	set := pflag.NewFlagSet("ping", pflag.ContinueOnError)
	read := Flags(set)
	if err := set.Parse(args); err != nil {
		return Options{}, err
	}
	return read(set.Args(), lookUp)
}

// name returns what an address was called.
func (o *Options) name(a netip.Addr) string { return cmp.Or(o.Names[a], a.String()) }

// whom returns whom an answer comes from.
func (o *Options) whom(a netip.Addr) string {
	if name := o.Names[a]; name != "" && !o.Numeric {
		return fmt.Sprintf("%s (%v)", name, a)
	}
	return a.String()
}

func (o *Options) check() error {
	switch {
	case len(o.Addresses) == 0:
		return errors.New("want at least one address")
	case o.Count < 0:
		return fmt.Errorf("count %d: want 1 or more, or 0 for no end", o.Count)
	case o.Interval < 2*time.Millisecond || o.Interval > time.Hour:
		return fmt.Errorf("interval %v: want 0.002 to 3600 seconds", o.Interval)
	case o.Wait <= 0 || o.Wait > time.Hour:
		return fmt.Errorf("timeout %v: want more than 0 and at most 3600 seconds", o.Wait)
	case o.Size < 0 || o.Size > maxSize:
		return fmt.Errorf("size %d: want 0 to %d bytes", o.Size, maxSize)
	case o.TTL < 0 || o.TTL > 255:
		return fmt.Errorf("ttl %d: want 1 to 255", o.TTL)
	case o.Count == 0 && len(o.Addresses) > 1:
		return errors.New("several addresses need -c, or the first would never end")
	}
	return nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
