package ping

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
)

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

// Close implements Socket.
func (s *gatewaySocket) Close() { s.raw.Close() }
