package ping

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
)

// times are round-trip times, in the order of the answers.
type times []time.Duration

// summary writes the last lines.
func (p *pinger) summary() {
	fmt.Fprintf(p.out, "\n--- %s ping statistics ---\n%d packets transmitted, %d received", p.name(p.to), p.sent, len(p.times))
	if p.dups > 0 {
		fmt.Fprintf(p.out, ", +%d duplicates", p.dups)
	}
	if p.errors > 0 {
		fmt.Fprintf(p.out, ", +%d errors", p.errors)
	}
	loss := 0.0
	if p.sent > 0 {
		loss = float64(p.sent-len(p.times)) * 100 / float64(p.sent)
	}
	fmt.Fprintf(p.out, ", %.6g%% packet loss, time %dms\n", loss, p.last.Sub(p.first).Milliseconds())
	var line []string
	if len(p.times) > 0 {
		line = append(line, p.times.String())
	}
	if p.ahead > 1 {
		line = append(line, fmt.Sprintf("pipe %d", p.ahead))
	}
	if len(line) > 0 {
		fmt.Fprintln(p.out, strings.Join(line, ", "))
	}
}

// String returns the line of the statistics.
func (t times) String() string {
	var sum, squares float64
	for _, d := range t {
		ms := float64(d) / float64(time.Millisecond)
		sum += ms
		squares += ms * ms
	}
	n := float64(len(t))
	mean := sum / n
	deviation := math.Sqrt(max(squares/n-mean*mean, 0))
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return fmt.Sprintf("rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms", ms(slices.Min(t)), mean, ms(slices.Max(t)), deviation)
}

// milliseconds writes a time as iputils does: three digits that mean something.
func milliseconds(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
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

// defaultTTL is net.ipv4.ip_default_ttl.
const defaultTTL = 64

// FromGateway is the Open of the gateway of a lab.
func FromGateway(lab *api.Client) Open {
	return func(ctx context.Context, to netip.Addr, ttl int) (Socket, error) {
		raw, err := lab.OpenRaw(ctx, "icmp", to)
		if err != nil {
			return nil, err
		}
		return OverRaw(raw, raw.Source, to, raw.Number, cmp.Or(uint8(ttl), defaultTTL), false), nil
	}
}

// Raw is a socket for whole IP packets, as the gateway and simulated hosts have them.
type Raw interface {
	Send(packet []byte) (time.Time, error)
	// Receive returns api.ErrTimeout if nothing comes in time, and context.Canceled when nothing will.
	Receive(wait time.Duration) ([]byte, time.Time, error)
	// Now returns the time by which those of Send and Receive are to be compared.
	Now() time.Time
	Close()
}

// OverRaw is a Socket for echoes of an identifier, from an address to another.
func OverRaw(r Raw, from, to netip.Addr, id uint16, ttl uint8, dontFragment bool) Socket {
	return &rawSocket{Raw: r, from: from, to: to, id: id, ttl: ttl, dontFragment: dontFragment}
}

type rawSocket struct {
	Raw
	from, to     netip.Addr
	id           uint16
	ttl          uint8
	dontFragment bool
	sent         uint16
}

// ID implements Socket: by it the other side knows whose an answer is. It is written into the echo like any other.
func (s *rawSocket) ID() (id uint16, chosen bool) { return s.id, true }

// Send implements Socket.
func (s *rawSocket) Send(icmp []byte) (time.Time, error) {
	s.sent++
	b := append(make([]byte, frame.FixedHeader(s.to)), icmp...)
	ip := frame.PutIP(b, frame.ProtoICMPOf(s.to), s.ttl, s.sent, s.from, s.to)
	if ip.Is4() {
		frame.IPv4(ip).SetFragment(s.dontFragment, false, 0)
		ip.SetChecksum()
	} else {
		ip.SetICMPChecksum()
	}
	return s.Raw.Send(b)
}

// Receive implements Socket.
func (s *rawSocket) Receive(wait time.Duration) (Message, error) {
	b, at, err := s.Raw.Receive(wait)
	switch {
	case errors.Is(err, api.ErrTimeout):
		return Message{}, ErrTimeout
	case errors.Is(err, context.Canceled):
		return Message{}, ErrClosed
	case err != nil:
		return Message{}, err
	}
	ip, err := frame.ParseIP(b)
	if err != nil {
		return Message{}, ErrTimeout // the other side lets nothing else through
	}
	from := ip.Src()
	if from.Is6() && from.IsLinkLocalUnicast() {
		from = from.WithZone(s.to.Zone())
	}
	return Message{ICMP: ip.Payload(), From: from, TTL: int(ip.TTL()), At: at}, nil
}
