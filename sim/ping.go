package sim

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"net/netip"
	"strings"
	"time"

	"uswitch/switch/frame"
)

// PingOptions are what a ping can be told. The zero value of each field means what iputils' ping does by itself.
type PingOptions struct {
	Count        int           // -c: questions to send; 0: until it is stopped
	Interval     time.Duration // -i: between two questions; 0: one second
	Size         int           // -s: bytes of data behind the ICMP header; 0: 56
	TTL          uint8         // -t; 0: 64
	Wait         time.Duration // -W: for the last answer; 0: 10 s, or once something was heard twice the longest round trip
	DontFragment bool          // -M do
	Name         string        // of dst, as it was typed; empty: its address
}

// Ping runs a ping to dst, which writes the lines of iputils' ping to out and hands the result to done when it has
// ended. The function that it returns stops it, as Ctrl-C does.
func (m *Machine) Ping(dst netip.Addr, o PingOptions, out io.Writer, done func(PingResult)) (stop func()) {
	if o.Interval == 0 {
		o.Interval = time.Second
	}
	if o.Size == 0 {
		o.Size = 56
	}
	m.lastEcho++
	o.Name = cmp.Or(o.Name, dst.String())
	p := &pinging{m: m, id: m.lastEcho, dst: dst, options: o, out: out, done: done, sent: map[uint16]question{}}
	w, err := m.net.source(toward(frame.ProtoICMP, netip.AddrPortFrom(dst, 0)))
	if err != nil {
		fmt.Fprintln(out, "ping: connect: "+strings.ToUpper(err.Error()[:1])+err.Error()[1:])
		p.result.Status, p.result.Failure = 2, err
		done(p.result)
		return func() {}
	}
	p.src, p.mtu, p.ttl = w.src, w.mtu, w.ttl
	m.pings[p.id] = p
	fmt.Fprintf(out, "PING %s (%v) %d(%d) bytes of data.\n", o.Name, dst, o.Size, o.Size+frame.ICMPHeader+frame.IPv4Header)
	p.timer = m.time.After(0, p.ask)
	return p.finish
}

// pinging is a ping under way.
type pinging struct {
	m        *Machine
	id       uint16
	src, dst netip.Addr
	mtu      int // of the path, as far as it is known
	ttl      uint8
	options  PingOptions
	out      io.Writer
	done     func(PingResult)
	result   PingResult

	seq         uint16
	sent        map[uint16]question
	started     time.Time
	last        time.Time // when something was sent or heard
	outstanding int       // the most questions that were open at once, which ping calls a pipe
	timer       *Timer
	over        bool
}

// question is one echo request.
type question struct {
	at       time.Time
	answered bool
}

// ask sends the next question, or waits for the last answers.
func (p *pinging) ask() {
	p.last = p.m.time.Now()
	if p.seq == 0 {
		p.started = p.last
	}
	p.seq++
	p.result.Sent++
	p.sent[p.seq] = question{at: p.last}
	if size := frame.IPv4Header + frame.ICMPHeader + p.options.Size; p.options.DontFragment && size > p.mtu {
		fmt.Fprintf(p.out, "ping: local error: message too long, mtu=%d\n", p.mtu)
		p.result.Errors++
		p.result.Failure = fmt.Errorf("%w: at most %d bytes fit the way, as far as it is known", ErrTooLong, p.mtu)
	} else {
		p.m.send(outgoing{proto: frame.ProtoICMP, src: p.src, dst: p.dst, ttl: cmp.Or(p.options.TTL, p.ttl),
			dontFragment: p.options.DontFragment, payload: p.request()}, p.mtu)
	}
	if p.options.Count == 0 || p.result.Sent < p.options.Count {
		p.timer = p.m.time.After(p.options.Interval, p.ask)
		return
	}
	if !p.finished() {
		p.timer = p.m.time.After(p.patience(), p.finish)
	}
}

// patience is how long the last answer may take, as iputils' ping has it.
func (p *pinging) patience() time.Duration {
	switch {
	case p.options.Wait > 0:
		return p.options.Wait
	case p.result.Received > 0:
		return max(2*p.result.Max, p.options.Interval)
	}
	return 10 * time.Second
}

func (p *pinging) request() frame.ICMP {
	b := make([]byte, frame.ICMPHeader+p.options.Size)
	for i := range p.options.Size {
		b[frame.ICMPHeader+i] = byte(i)
	}
	return frame.PutEcho(b, frame.ICMPEcho, p.id, p.seq)
}

// replied takes an answer.
func (p *pinging) replied(ip frame.IPv4, message frame.ICMP) {
	q, ok := p.sent[message.Seq()]
	if !ok || ip.Src() != p.dst {
		return
	}
	p.last = p.m.time.Now()
	took, again := p.last.Sub(q.at), ""
	if q.answered {
		p.result.Duplicates++
		again = " (DUP!)"
	} else {
		p.result.count(took)
		p.heard(message.Seq())
		q.answered = true
		p.sent[message.Seq()] = q
	}
	fmt.Fprintf(p.out, "%d bytes from %v: icmp_seq=%d ttl=%d time=%s ms%s\n", len(message), ip.Src(), message.Seq(), ip.TTL(),
		milliseconds(took), again)
	p.finished()
}

// failed takes an error that quotes a question.
func (p *pinging) failed(e fault, seq uint16) {
	if _, ok := p.sent[seq]; !ok {
		return
	}
	p.last = p.m.time.Now()
	p.result.Errors++
	if p.result.Failure == nil {
		p.result.Failure = e.asError(e.about.Dst())
	}
	p.heard(seq)
	fmt.Fprintf(p.out, "From %v icmp_seq=%d %s\n", e.from, seq, e)
	if e.icmpType == frame.ICMPUnreachable && e.code == frame.UnreachableTooBig && e.mtu > frame.IPv4Header {
		p.mtu = min(p.mtu, e.mtu)
	}
	p.finished()
}

func (p *pinging) heard(seq uint16) {
	p.outstanding = max(p.outstanding, int(p.seq-seq)+1)
}

// finished ends the ping if there is nothing more to wait for.
func (p *pinging) finished() bool {
	if p.options.Count == 0 || p.result.Sent < p.options.Count || p.result.Received+p.result.Errors < p.options.Count {
		return false
	}
	p.finish()
	return true
}

// finish ends the ping and prints what it has found.
func (p *pinging) finish() {
	if p.over {
		return
	}
	p.over = true
	p.timer.Stop()
	delete(p.m.pings, p.id)
	if p.result.Received == 0 {
		p.result.Status = 1
	}
	p.result.Time = p.last.Sub(p.started)
	p.result.summary(p.out, p.options.Name, p.outstanding)
	p.done(p.result)
}

// PingResult is what a ping found.
type PingResult struct {
	Sent, Received, Duplicates, Errors int
	Time                               time.Duration // from the first question to the last thing that happened
	Min, Max                           time.Duration // round trips
	Status                             int           // as ping exits: 0 something was received, 1 nothing, 2 nothing could be sent
	Failure                            error         // the first error that was heard, in ping's words, or ErrNoRoute

	sum, squares float64 // of the round trips, in microseconds
}

func (r *PingResult) count(took time.Duration) {
	if r.Received == 0 || took < r.Min {
		r.Min = took
	}
	r.Max = max(r.Max, took)
	r.Received++
	us := float64(took.Microseconds())
	r.sum += us
	r.squares += us * us
}

// summary prints the lines at the end.
func (r *PingResult) summary(out io.Writer, name string, outstanding int) {
	fmt.Fprintf(out, "\n--- %s ping statistics ---\n%d packets transmitted, %d received", name, r.Sent, r.Received)
	if r.Duplicates > 0 {
		fmt.Fprintf(out, ", +%d duplicates", r.Duplicates)
	}
	if r.Errors > 0 {
		fmt.Fprintf(out, ", +%d errors", r.Errors)
	}
	if r.Sent > 0 {
		fmt.Fprintf(out, ", %g%% packet loss, time %dms", float32(r.Sent-r.Received)*100/float32(r.Sent), r.Time.Milliseconds())
	}
	fmt.Fprintln(out)
	separator := ""
	if r.Received > 0 {
		mean := r.sum / float64(r.Received)
		deviation := math.Sqrt(max(0, r.squares/float64(r.Received)-mean*mean))
		fmt.Fprintf(out, "rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms", float64(r.Min.Microseconds())/1e3, mean/1e3,
			float64(r.Max.Microseconds())/1e3, deviation/1e3)
		separator = ", "
	}
	if outstanding > 1 {
		fmt.Fprintf(out, "%spipe %d", separator, outstanding)
	}
	if r.Received > 0 || outstanding > 1 {
		fmt.Fprintln(out)
	}
}

// milliseconds prints a time with three digits that count, as ping does.
func milliseconds(d time.Duration) string {
	ms := float64(d.Microseconds()) / 1e3
	switch {
	case ms >= 100:
		return fmt.Sprintf("%.0f", ms)
	case ms >= 10:
		return fmt.Sprintf("%.1f", ms)
	case ms >= 1:
		return fmt.Sprintf("%.2f", ms)
	}
	return fmt.Sprintf("%.3f", ms)
}

// String says what an error means, in ping's words.
func (e fault) String() string {
	return frame.ICMPError{Type: e.icmpType, Code: e.code, MTU: uint16(e.mtu)}.Ping()
}
