package ping

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
)

// times are round-trip times, in the order of the answers.
type times []time.Duration

// summary writes the last lines.
func (p *pinger) summary(took time.Duration) {
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
	fmt.Fprintf(p.out, ", %.6g%% packet loss, time %dms\n", loss, took.Milliseconds())
	if len(p.times) > 0 {
		fmt.Fprintln(p.out, p.times)
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
		if ttl == 0 {
			ttl = defaultTTL
		}
		return &gatewaySocket{raw: raw, to: to, ttl: uint8(ttl)}, nil
	}
}

// gatewaySocket is a raw socket of the gateway.
type gatewaySocket struct {
	raw  *api.Raw
	to   netip.Addr
	ttl  uint8
	sent uint16
}

// ID implements Socket: by it the gateway knows whose an answer is. It is written into the echo like any other.
func (s *gatewaySocket) ID() (id uint16, chosen bool) { return s.raw.Number, true }

// Send implements Socket.
func (s *gatewaySocket) Send(icmp []byte) (time.Time, error) {
	s.sent++
	b := append(make([]byte, frame.IPv4Header), icmp...)
	frame.PutIPv4(b, frame.ProtoICMP, s.ttl, s.sent, s.raw.Source, s.to)
	return s.raw.Send(b)
}

// Receive implements Socket.
func (s *gatewaySocket) Receive(wait time.Duration) (Message, error) {
	b, at, err := s.raw.Receive(wait)
	switch {
	case errors.Is(err, api.ErrTimeout):
		return Message{}, ErrTimeout
	case errors.Is(err, context.Canceled):
		return Message{}, ErrClosed
	case err != nil:
		return Message{}, err
	}
	ip, err := frame.ParseIPv4(b)
	if err != nil {
		return Message{}, ErrTimeout // the gateway lets nothing else through
	}
	return Message{ICMP: ip.Payload(), From: ip.Src(), TTL: int(ip.TTL()), At: at}, nil
}

// Now implements Socket.
func (s *gatewaySocket) Now() time.Time { return s.raw.Now() }

// Close implements Socket.
func (s *gatewaySocket) Close() { s.raw.Close() }
