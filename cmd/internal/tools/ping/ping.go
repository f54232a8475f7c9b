package ping

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
)

// The exit statuses of iputils' ping.
const (
	Answered   = 0
	Unanswered = 1 // an address that gave no answer at all
	Failed     = 2 // the echo could not be sent
)

// Run pings each address in turn, by sockets that open makes, and writes what ping writes. It returns ping's exit status; ctx
// ends it early.
func Run(ctx context.Context, o Options, open Open, out io.Writer) int {
	status := Answered
	for i, to := range o.Addresses {
		if i > 0 {
			fmt.Fprintln(out)
			pause(ctx)
		}
		status = max(status, One(ctx, o, to, open, out))
		if ctx.Err() != nil {
			break
		}
	}
	return status
}

// Pause passes between two addresses, so that whoever watches the network sees which question an answer belongs to.
const Pause = 200 * time.Millisecond

func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(Pause):
	}
}

// pinger pings one address.
type pinger struct {
	Options
	to     netip.Addr
	out    io.Writer
	socket Socket
	id     uint16

	sent, open  int // echoes; and those of which nothing was heard yet
	echoes      map[uint16]echo
	first, last time.Time // when the first was sent, and when something was sent or heard
	errors      int
	times       times
	dups        int
	ahead       int // the most echoes that were open at once, which ping calls a pipe
}

// echo is an echo request that was sent.
type echo struct {
	at      time.Time
	settled bool // something was heard of it
}

// One is Run for one address.
func One(ctx context.Context, o Options, to netip.Addr, open Open, out io.Writer) int {
	s, err := open(ctx, to, o.TTL)
	if err != nil {
		fmt.Fprintf(out, "ping: %v\n", err)
		return Failed
	}
	defer s.Close()
	p := &pinger{Options: o, to: to, out: out, socket: s, echoes: map[uint16]echo{}}
	var chosen bool
	if p.id, chosen = s.ID(); !chosen {
		p.id = uint16(rand.Uint32())
	}
	if to.Is4() {
		fmt.Fprintf(out, "PING %s (%v) %d(%d) bytes of data.\n", o.name(to), to, o.Size, o.Size+frame.ICMPHeader+frame.IPv4Header)
	} else {
		fmt.Fprintf(out, "PING %s(%v) %d data bytes\n", o.name(to), to, o.Size)
	}
	p.first = s.Now()
	p.last = p.first
	status := p.run(ctx)
	p.summary()
	return status
}

// run sends echoes, an interval apart, and reads answers between them, until the count is reached and everything is
// answered or has been waited for.
func (p *pinger) run(ctx context.Context) int {
	next := p.socket.Now()
	for ctx.Err() == nil && (p.Count == 0 || p.sent < p.Count) {
		if err := p.send(); err != nil {
			fmt.Fprintf(p.out, "ping: %v\n", err)
			p.errors++
			p.settle(uint16(p.sent))
		}
		next = next.Add(p.Interval)
		last := p.Count > 0 && p.sent == p.Count
		if last {
			next = p.socket.Now().Add(p.patience())
		}
		p.listen(ctx, next, last)
	}
	if len(p.times) > 0 {
		return Answered
	}
	return Unanswered
}

// patience is how long the last answer may take, as iputils' ping has it.
func (p *pinger) patience() time.Duration {
	switch {
	case p.Wait > 0:
		return p.Wait
	case len(p.times) > 0:
		return max(2*slices.Max(p.times), p.Interval)
	}
	return 10 * time.Second
}

func (p *pinger) send() error {
	p.sent++
	p.open++
	seq := uint16(p.sent)
	p.last = p.socket.Now()
	p.echoes[seq] = echo{at: p.last}
	at, err := p.socket.Send(request(p.to, p.id, seq, p.Size, p.last))
	if err == nil {
		p.echoes[seq] = echo{at: at}
	}
	return err
}

// request returns an echo request. Its payload is the time, if there is room, and then what iputils sends: bytes that count.
func request(to netip.Addr, id, seq uint16, size int, now time.Time) []byte {
	b := make([]byte, frame.ICMPHeader+size)
	data := b[frame.ICMPHeader:]
	for i := range data {
		data[i] = byte(i)
	}
	if size >= timestamp {
		binary.BigEndian.PutUint64(data, uint64(now.UnixNano()))
	}
	icmpType, _ := frame.ICMPEchoOf(to)
	return frame.PutEcho(b, icmpType, id, seq) // the checksum of ICMPv6 is whoever's who writes the header in front
}

// listen reads answers until a moment, or until every echo is settled if nothing else is to be sent.
func (p *pinger) listen(ctx context.Context, until time.Time, last bool) {
	for ctx.Err() == nil && !(last && p.open == 0) {
		left := until.Sub(p.socket.Now())
		if left <= 0 {
			return
		}
		m, err := p.socket.Receive(left)
		switch {
		case errors.Is(err, ErrTimeout):
		case errors.Is(err, ErrClosed):
			return
		case err != nil:
			p.fault(err)
		default:
			p.answer(m)
		}
	}
}

// settle counts an echo as one of which something was heard.
func (p *pinger) settle(seq uint16) {
	e := p.echoes[seq]
	if e.settled {
		return
	}
	p.open--
	p.echoes[seq] = echo{e.at, true}
	p.ahead = max(p.ahead, int(uint16(p.sent)-seq)+1)
}

// fault is an error that the kernel has kept for a ping socket: somebody on the way said so.
func (p *pinger) fault(err error) {
	p.errors++
	p.last = p.socket.Now()
	for seq := range p.echoes {
		p.settle(seq)
	}
	fmt.Fprintf(p.out, "ping: %v\n", err)
}

// answer handles a message: an answer to one of our echoes, an error about one, or something else.
func (p *pinger) answer(m Message) {
	icmp, ok := frame.ParseICMP(m.ICMP)
	if !ok {
		return
	}
	_, reply := frame.ICMPEchoOf(p.to)
	if _, chosen := p.socket.ID(); icmp.Type() == reply && (chosen || icmp.ID() == p.id) && (m.From == p.to || p.to.IsMulticast()) {
		p.reply(icmp, m)
		return
	}
	if seq, ours := p.quoted(icmp); ours {
		p.settle(seq)
		p.errors++
		p.last = m.At
		text := icmp.Error().Ping()
		if p.to.Is6() {
			text = icmp.Error().PingV6()
		}
		fmt.Fprintf(p.out, "From %v icmp_seq=%d %s\n", m.From, seq, text)
	}
}

// quoted reads the echo that an error is about.
func (p *pinger) quoted(icmp frame.ICMP) (seq uint16, ours bool) {
	ip, ok := icmp.QuoteOf(p.to.Is6())
	if !ok || !ip.IsICMP() {
		return 0, false
	}
	echo := frame.ICMP(ip.Payload())
	request, _ := frame.ICMPEchoOf(p.to)
	_, sent := p.echoes[echo.Seq()]
	return echo.Seq(), sent && ip.Dst() == p.to.WithZone("") && echo.Type() == request && echo.ID() == p.id
}

func (p *pinger) reply(icmp frame.ICMP, m Message) {
	seq := icmp.Seq()
	e, sent := p.echoes[seq]
	if !sent {
		return
	}
	p.last = m.At
	took, again := m.At.Sub(e.at), ""
	if e.settled {
		p.dups++
		again = " (DUP!)"
	} else {
		p.times = append(p.times, took)
		p.settle(seq)
	}
	if !p.Quiet {
		fmt.Fprintf(p.out, "%d bytes from %s: icmp_seq=%d ttl=%d time=%s ms%s\n", len(m.ICMP), p.whom(m.From), seq, m.TTL, milliseconds(took), again)
	}
}

// Here is the LookUp of the network that this process is in.
func Here(ctx context.Context) LookUp {
	return func(name string) (netip.Addr, error) {
		all, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", name)
		if err != nil || len(all) == 0 {
			return netip.Addr{}, fmt.Errorf("%s: Name or service not known", name) // as getaddrinfo says it
		}
		return all[0].Unmap(), nil
	}
}

// InLab knows the hosts of a lab besides, by every name that they have: who stands at the gateway looks onto all networks.
func InLab(ctx context.Context, lab *api.Client) LookUp {
	return func(name string) (netip.Addr, error) {
		var hosts []api.Host
		if err := lab.Get(ctx, "/v1/hosts", nil, &hosts); err != nil {
			return netip.Addr{}, err
		}
		for _, h := range hosts {
			if len(h.Interfaces) > 0 && (strings.EqualFold(h.Name, name) || strings.EqualFold(h.Hostname, name)) {
				return h.Interfaces[0].Address.Addr(), nil
			}
		}
		return Here(ctx)(name)
	}
}
