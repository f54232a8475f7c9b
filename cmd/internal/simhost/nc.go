package simhost

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"uswitch/sim"
)

// ncOptions are what nc is told, in the words of OpenBSD's.
type ncOptions struct {
	listen, udp, scan, verbose, shut, keep, numeric, v4, v6 bool
	wait                                                    float64
	words                                                   []string
}

// runNC is nc: nc [-46Nnuvz] [-w SECONDS] HOST PORT, nc -l [-knuv] [-p] PORT.
func runNC(c *call) int {
	var o ncOptions
	set := pflag.NewFlagSet("nc", pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.BoolVarP(&o.listen, "listen", "l", false, "")
	set.BoolVarP(&o.udp, "udp", "u", false, "")
	set.BoolVarP(&o.scan, "zero", "z", false, "")
	set.BoolVarP(&o.verbose, "verbose", "v", false, "")
	set.BoolVarP(&o.shut, "shutdown", "N", false, "")
	set.BoolVarP(&o.keep, "keep", "k", false, "")
	set.BoolVarP(&o.numeric, "numeric", "n", false, "")
	set.BoolVarP(&o.v4, "ipv4", "4", false, "")
	set.BoolVarP(&o.v6, "ipv6", "6", false, "")
	set.Float64VarP(&o.wait, "wait", "w", 0, "")
	port := set.StringP("port", "p", "", "")
	err := set.Parse(c.Args)
	o.words = set.Args()
	if *port != "" {
		o.words = append(o.words, *port)
	}
	want := 2
	if o.listen {
		want = 1
	}
	if err != nil || len(o.words) != want {
		return c.Fail(1, "want: nc [-46Nnuvz] [-w SECONDS] HOST PORT, or nc -l [-knuv] PORT")
	}
	number, err := strconv.ParseUint(o.words[want-1], 10, 16)
	if err != nil || number == 0 {
		return c.Fail(1, "port number invalid: %s", o.words[want-1])
	}
	if o.listen {
		return c.ncListen(o, uint16(number))
	}
	c.choose(o.v4, o.v6)
	a, err := c.resolve(o.words[0])
	if err != nil || o.numeric && a.String() != o.words[0] {
		return c.Fail(1, "getaddrinfo for host %q port %d: %v", o.words[0], number, errNoName)
	}
	to := netip.AddrPortFrom(a, uint16(number))
	if o.udp {
		return c.ncUDP(o, to)
	}
	return c.ncTCP(o, to)
}

func (c *call) ncTCP(o ncOptions, to netip.AddrPort) int {
	defer c.deadline(o.wait)()
	conn, err := c.Sockets().Dial(c.Ctx, to)
	if err != nil {
		if c.Interrupted() && o.wait > 0 {
			err = errors.New("timed out")
		}
		if o.verbose || !o.scan {
			return c.Fail(1, "connect to %v port %d (tcp) failed: %s", to.Addr(), to.Port(), why(err))
		}
		return 1
	}
	defer conn.Close()
	if o.verbose {
		fmt.Fprintf(c.Stderr, "Connection to %v %d port [tcp/*] succeeded!\n", to.Addr(), to.Port())
	}
	if o.scan {
		return 0
	}
	return c.ncCopy(conn, o.shut)
}

// ncCopy copies both ways until the other side has said all that it has to say; shut tells it when the input has ended.
func (c *call) ncCopy(conn net.Conn, shut bool) int {
	c.Loop().Go(func() {
		_, err := io.Copy(conn, c.Stdin)
		if half, ok := conn.(interface{ CloseWrite() error }); ok && err == nil && shut {
			_ = half.CloseWrite()
		}
	})
	if _, err := io.Copy(c.Stdout, conn); err != nil && c.Ctx.Err() == nil {
		return 1
	}
	if c.Ctx.Err() != nil {
		return sim.StatusOf(c.Ctx)
	}
	return 0
}

func (c *call) ncListen(o ncOptions, port uint16) int {
	if o.udp {
		return c.ncListenUDP(port)
	}
	l, err := c.Sockets().Listen(c.Ctx, port)
	if err != nil {
		return c.Fail(1, "%v", err)
	}
	defer l.Close()
	if o.verbose {
		fmt.Fprintf(c.Stderr, "Listening on 0.0.0.0 %d\n", port)
	}
	for {
		conn, err := l.Accept()
		if err != nil {
			return sim.StatusOf(c.Ctx)
		}
		if o.verbose {
			fmt.Fprintf(c.Stderr, "Connection received on %v\n", conn.RemoteAddr())
		}
		status := c.ncCopy(conn, true)
		conn.Close()
		if !o.keep || c.Ctx.Err() != nil {
			return status
		}
	}
}

// ncUDP sends what it reads as one datagram and waits for an answer; -z sends nothing that counts and listens for a
// refusal.
func (c *call) ncUDP(o ncOptions, to netip.AddrPort) int {
	data := []byte("X")
	if !o.scan {
		var err error
		if data, err = io.ReadAll(io.LimitReader(c.Stdin, 1<<16)); err != nil {
			return c.Fail(1, "%v", err)
		}
	}
	wait := time.Second
	if o.wait > 0 {
		wait = seconds(o.wait)
	}
	answer, err := ask(c, func(done func([]byte, error)) { c.Namespace.Host.AskUDP(to, data, wait, done) })
	switch {
	case errors.Is(err, sim.ErrTimeout): // silence is all that UDP promises
		if o.scan && o.verbose {
			fmt.Fprintf(c.Stderr, "Connection to %v %d port [udp/*] succeeded!\n", to.Addr(), to.Port())
		}
		return 0
	case err != nil:
		return c.Fail(1, "%s", why(sim.Errno(err)))
	}
	if _, err := c.Stdout.Write(answer); err != nil {
		return 1
	}
	return 0
}

// ncListenUDP prints the datagrams that come in, until it is ended.
func (c *call) ncListenUDP(port uint16) int {
	return c.There(func(out io.Writer, done func(int)) func() {
		stop, err := c.Namespace.Host.ListenUDP(port, func(_ netip.AddrPort, data []byte) { _, _ = out.Write(data) })
		if err != nil {
			fmt.Fprintf(out, "nc: %v\n", err)
			done(1)
			return func() {}
		}
		return func() { stop(); done(0) }
	})
}
