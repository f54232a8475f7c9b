package simhost

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"uswitch/sim"
)

// query is what dig is asked.
type query struct {
	server  netip.Addr
	name    string
	reverse netip.Addr
	short   bool
}

// runDig is dig for addresses and, with -x, for names: dig [@SERVER] [+short] NAME [A], dig [@SERVER] -x ADDRESS.
func runDig(c *call) int {
	q, err := c.readDig()
	if err != nil {
		return c.fail(1, "%v", err)
	}
	kind, subject := "A", q.name
	var answer string
	if q.reverse.IsValid() {
		kind, subject = "PTR", q.reverse.String()
		answer, err = ask(c, func(done func(string, error)) { c.space.machine.LookUpAddr(q.server, q.reverse, done) })
	} else {
		var a netip.Addr
		if a, err = c.lookUp(q.server, q.name); err == nil && a.IsValid() {
			answer = a.String()
		}
	}
	switch {
	case errors.Is(err, sim.ErrNoSuchName) && q.short:
	case errors.Is(err, sim.ErrNoSuchName):
		fmt.Fprintf(c.stdout, ";; status: NXDOMAIN\n;; SERVER: %v#53\n", q.server)
	case errors.Is(err, sim.ErrTimeout):
		fmt.Fprint(c.stdout, ";; communications error: timed out\n;; no servers could be reached\n")
		return 9
	case err != nil:
		fmt.Fprintf(c.stdout, ";; communications error to %v#53: %v\n;; no servers could be reached\n", q.server, err)
		return 9
	case q.short && answer != "":
		fmt.Fprintln(c.stdout, answer)
	case q.short:
	case answer == "":
		fmt.Fprintf(c.stdout, ";; status: NOERROR, no %s of %s\n;; SERVER: %v#53\n", kind, subject, q.server)
	default:
		fmt.Fprintf(c.stdout, ";; status: NOERROR\n%s\tIN\t%s\t%s\n;; SERVER: %v#53\n", subject, kind, answer, q.server)
	}
	return 0
}

func (c *call) readDig() (q query, err error) {
	for i := 0; i < len(c.args); i++ {
		word := c.args[i]
		switch {
		case strings.HasPrefix(word, "@"):
			q.server, err = c.resolve(word[1:])
		case word == "+short":
			q.short = true
		case word == "-x" && i+1 < len(c.args):
			i++
			q.reverse, err = netip.ParseAddr(c.args[i])
		case word == "A" || word == "IN":
		case strings.HasPrefix(word, "+") || strings.HasPrefix(word, "-") || q.name != "":
			err = fmt.Errorf("%q cannot be simulated: want [@SERVER] [+short] NAME, or -x ADDRESS", word)
		default:
			q.name = word
		}
		if err != nil {
			return q, err
		}
	}
	if q.name == "" && !q.reverse.IsValid() {
		return q, errors.New("want a name")
	}
	if servers := c.servers(); !q.server.IsValid() && len(servers) > 0 {
		q.server = servers[0]
	}
	if !q.server.IsValid() {
		return q, errors.New("no name server is known")
	}
	return q, nil
}
