package traceroute

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"
)

// Options are what a person can say, with traceroute's defaults.
type Options struct {
	ICMP    bool          // echoes rather than datagrams
	Numeric bool          // no names
	First   int           // time to live of the first probes
	Max     int           // and of the last
	Probes  int           // for each hop
	Wait    time.Duration // for an answer
	Port    int           // of the first datagram's destination
}

// Flags are the options as traceroute names them.
func Flags(set *pflag.FlagSet) func() (Options, error) {
	o := Options{}
	set.BoolVarP(&o.ICMP, "icmp", "I", false, "send ICMP echoes, not UDP datagrams")
	set.BoolVarP(&o.Numeric, "numeric", "n", false, "print addresses, no names")
	set.IntVarP(&o.First, "first", "f", 1, "begin at `HOP`")
	set.IntVarP(&o.Max, "max-hops", "m", 30, "go no further than `HOP`")
	set.IntVarP(&o.Probes, "queries", "q", 3, "`NUMBER` of probes for each hop")
	set.IntVarP(&o.Port, "port", "p", 33434, "destination `PORT` of the first datagram; each further one has the next")
	wait := set.Float64P("wait", "w", 5, "`SECONDS` to wait for an answer")
	return func() (Options, error) {
		o.Wait = time.Duration(*wait * float64(time.Second))
		return o, o.check()
	}
}

func (o *Options) check() error {
	switch {
	case o.Max < 1 || o.Max > 255:
		return fmt.Errorf("max-hops %d: want 1 to 255", o.Max)
	case o.First < 1 || o.First > o.Max:
		return fmt.Errorf("first %d: want 1 to %d", o.First, o.Max)
	case o.Probes < 1 || o.Probes > 10:
		return fmt.Errorf("queries %d: want 1 to 10", o.Probes)
	case o.Wait < 10*time.Millisecond || o.Wait > time.Hour:
		return fmt.Errorf("wait %v: want 0.01 to 3600 seconds", o.Wait)
	case o.Port < 1 || o.Port > 65535-255*10:
		return fmt.Errorf("port %d: want 1 to %d", o.Port, 65535-255*10)
	}
	return nil
}
