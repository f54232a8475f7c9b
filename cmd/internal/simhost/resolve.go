package simhost

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"uswitch/cmd/internal/world/names"
	"uswitch/sim"
)

// nameError is why a name has no address, in the words of getaddrinfo(3).
type nameError string

func (e nameError) Error() string { return string(e) }

const (
	errNoName   = nameError("Name or service not known")
	errNoServer = nameError("Temporary failure in name resolution")
	errFamily   = nameError("Address family for hostname not supported")
)

// resolve returns the IPv4 address of a name: one that is written out, one of /etc/hosts, or what a name server says.
func (c *call) resolve(name string) (netip.Addr, error) {
	if a, err := netip.ParseAddr(name); err == nil {
		if !a.Is4() {
			return a, errFamily
		}
		return a, nil
	}
	text, _ := c.Namespace.File("/etc/hosts")
	if a, ok := inHosts(text, name); ok {
		return a, nil
	}
	var failed error = errNoServer
	for _, full := range c.candidates(name) {
		a, err := c.resolveFull(full)
		if err == nil {
			return a, nil
		}
		failed = err
	}
	return netip.Addr{}, failed
}

// inHosts finds a name in a text in the form of /etc/hosts.
func inHosts(text, name string) (netip.Addr, bool) {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		for _, known := range words[min(1, len(words)):] {
			if a, err := netip.ParseAddr(words[0]); strings.EqualFold(known, name) && err == nil && a.Is4() {
				return a, true
			}
		}
	}
	return netip.Addr{}, false
}

// resolvConf reads the host's /etc/resolv.conf.
func (c *call) resolvConf() names.Resolv {
	text, _ := c.Namespace.File("/etc/resolv.conf")
	return names.ParseResolv(strings.NewReader(text))
}

// candidates are the full names that a name may stand for (resolv.conf(5), search): one without a dot is looked for in the
// search domains first.
func (c *call) candidates(name string) (all []string) {
	for _, domain := range c.resolvConf().Search {
		all = append(all, name+"."+strings.Trim(domain, "."))
	}
	switch {
	case strings.HasSuffix(name, "."):
		return []string{name}
	case strings.Contains(name, "."):
		return append([]string{name}, all...)
	}
	return append(all, name)
}

// resolveFull asks the name servers in turn, until one says something.
func (c *call) resolveFull(name string) (netip.Addr, error) {
	for _, server := range c.servers() {
		a, err := c.lookUp(server, name)
		switch {
		case err == nil && a.IsValid():
			return a, nil
		case err == nil || errors.Is(err, sim.ErrNoSuchName):
			return netip.Addr{}, errNoName
		}
	}
	return netip.Addr{}, errNoServer
}

// servers are the name servers that the host can ask.
func (c *call) servers() (all []netip.Addr) {
	for _, a := range c.resolvConf().Servers {
		if a.Is4() {
			all = append(all, a)
		}
	}
	return all
}

// lookUp asks one name server for an address.
func (c *call) lookUp(server netip.Addr, name string) (netip.Addr, error) {
	return ask(c, func(done func(netip.Addr, error)) { c.Namespace.Host.LookUp(server, name, done) })
}

// ask puts a question and waits for its answer, or until the program is ended.
func ask[T any](c *call, question func(done func(T, error))) (answer T, err error) {
	var failed error
	answered := false
	question(func(a T, err error) { answer, failed, answered = a, err, true })
	if err := c.Loop().WaitOr(c.Ctx, func() bool { return answered }); err != nil {
		return answer, err
	}
	return answer, failed
}

// runGetent is getent for hosts.
func runGetent(c *call) int {
	if len(c.Args) < 2 || c.Args[0] != "hosts" && c.Args[0] != "ahostsv4" {
		return c.Fail(1, "want: getent hosts NAME")
	}
	status := 0
	for _, name := range c.Args[1:] {
		a, err := c.resolve(name)
		if err != nil {
			status = 2
			continue
		}
		fmt.Fprintf(c.Stdout, "%-15v %s\n", a, name)
	}
	return status
}

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
		return c.Fail(1, "%v", err)
	}
	kind, subject := "A", q.name
	var answer string
	if q.reverse.IsValid() {
		kind, subject = "PTR", q.reverse.String()
		answer, err = ask(c, func(done func(string, error)) { c.Namespace.Host.LookUpAddr(q.server, q.reverse, done) })
	} else {
		var a netip.Addr
		if a, err = c.lookUp(q.server, q.name); err == nil && a.IsValid() {
			answer = a.String()
		}
	}
	switch {
	case errors.Is(err, sim.ErrNoSuchName) && q.short:
	case errors.Is(err, sim.ErrNoSuchName):
		fmt.Fprintf(c.Stdout, ";; status: NXDOMAIN\n;; SERVER: %v#53\n", q.server)
	case errors.Is(err, sim.ErrTimeout):
		fmt.Fprint(c.Stdout, ";; communications error: timed out\n;; no servers could be reached\n")
		return 9
	case err != nil:
		fmt.Fprintf(c.Stdout, ";; communications error to %v#53: %v\n;; no servers could be reached\n", q.server, err)
		return 9
	case q.short && answer != "":
		fmt.Fprintln(c.Stdout, answer)
	case q.short:
	case answer == "":
		fmt.Fprintf(c.Stdout, ";; status: NOERROR, no %s of %s\n;; SERVER: %v#53\n", kind, subject, q.server)
	default:
		fmt.Fprintf(c.Stdout, ";; status: NOERROR\n%s\tIN\t%s\t%s\n;; SERVER: %v#53\n", subject, kind, answer, q.server)
	}
	return 0
}

func (c *call) readDig() (q query, err error) {
	for i := 0; i < len(c.Args); i++ {
		word := c.Args[i]
		switch {
		case strings.HasPrefix(word, "@"):
			q.server, err = c.resolve(word[1:])
		case word == "+short":
			q.short = true
		case word == "-x" && i+1 < len(c.Args):
			i++
			q.reverse, err = netip.ParseAddr(c.Args[i])
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
