package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/words"
	"uswitch/nat"
	"uswitch/switch/frame"
)

// rawSocket hears what is for it on behalf of a client.
type rawSocket struct {
	heard chan api.RawPacket
	now   func() time.Time
}

var _ nat.Socket = rawSocket{}

// Deliver implements nat.Socket. When a frame was read from its interface can be a little before the question was sent that it
// answers: the reader looks at the clock now and then only.
func (s rawSocket) Deliver(f frame.Frame, _ time.Time) {
	select {
	case s.heard <- api.RawPacket{Time: s.now(), Packet: append([]byte(nil), f.Data[frame.EthernetHeader:]...)}:
	default:
	}
}

// openRaw opens a socket for what answers what the client will send ?to an address, with ?proto icmp or udp, and streams it.
func (s *Server) openRaw(w http.ResponseWriter, r *http.Request) {
	opened, heard, release, err := s.rawFor(r.URL.Query())
	if err != nil {
		fail(w, r, err)
		return
	}
	defer release()
	if loop := s.world.Loop(); loop != nil && loop.Virtual() {
		opened.Virtual, opened.Time = true, s.world.Now()
		s.raws.Store(opened.Number, heard)
		defer s.raws.Delete(opened.Number)
	}
	out, done, err := s.stream(w, ndjson)
	if err != nil {
		fail(w, r, err)
		return
	}
	defer done()
	lines := json.NewEncoder(out)
	if err := lines.Encode(opened); err != nil || opened.Virtual {
		<-r.Context().Done()
		return
	}
	for err == nil {
		select {
		case <-r.Context().Done():
			return
		case p := <-heard.heard:
			err = lines.Encode(p)
		}
	}
}

// waitRaw has virtual time pass until something has come for a raw socket, or for as long as the client wants to wait.
func (s *Server) waitRaw(r *http.Request) (any, error) {
	var q api.RawWait
	if err := decode(r, &q); err != nil {
		return nil, err
	}
	socket, ok := s.raws.Load(q.Number)
	loop := s.world.Loop()
	if !ok || loop == nil {
		return nil, refuse(http.StatusNotFound, words.Errorf("raw socket %d: there is none", q.Number))
	}
	heard, over := socket.(rawSocket).heard, make(chan struct{})
	now := s.world.Now()
	release := loop.Hold()
	leave := loop.Attend(false)
	loop.Go(func() {
		defer close(over)
		defer leave()
		passed := false
		defer loop.After(q.Wait, func() { passed = true }).Stop()
		_ = loop.WaitOr(r.Context(), func() bool { return passed || len(heard) > 0 })
		_ = loop.Settle() // what happens at the same moment does not race with what the client does next
		now = loop.Now()
	})
	release()
	<-over
	select {
	case p := <-heard:
		return p, nil
	default:
		return api.RawPacket{Time: now}, nil
	}
}

// rawFor finds the source address and a number that is free.
func (s *Server) rawFor(q url.Values) (opened api.RawOpened, heard rawSocket, release func(), err error) {
	to, err := netip.ParseAddr(q.Get("to"))
	proto := map[string]uint8{"icmp": frame.ProtoICMP, "udp": frame.ProtoUDP}[q.Get("proto")]
	if err == nil && proto == frame.ProtoICMP {
		proto = frame.ProtoICMPOf(to)
	}
	if err != nil || to.Is4In6() || to.Zone() != "" || proto == 0 {
		return opened, heard, nil, refuse(http.StatusBadRequest, words.Errorf("want to=ADDRESS and proto=icmp or udp"))
	}
	g, ok := s.world.Gateway(), false
	if opened.Source, ok = g.Source(to); !ok {
		return opened, heard, nil, refuse(http.StatusUnprocessableEntity, errors.New("connect: Network is unreachable"))
	}
	random := s.world.Random()
	heard = rawSocket{make(chan api.RawPacket, api.RawQueue), s.world.Now}
	for range 64 {
		opened.Number = uint16(1024 + random.IntN(1<<16-1024))
		if release, err = g.Open(proto, opened.Number, heard); err == nil {
			return opened, heard, release, nil
		}
	}
	return opened, heard, nil, err
}

// sendRaw sends an IP packet from the gateway, from one of its own addresses, and says when.
func (s *Server) sendRaw(r *http.Request) (any, error) {
	var p api.RawPacket
	if err := decode(r, &p); err != nil {
		return nil, err
	}
	ip, err := frame.ParseIP(p.Packet)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, words.Errorf("want an IP packet: %w", err))
	}
	g := s.world.Gateway()
	if own, ok := g.Source(ip.Src()); !ok || own != ip.Src() {
		return nil, refuse(http.StatusUnprocessableEntity, words.Errorf("%v is not an address of the gateway", ip.Src()))
	}
	b := append(make([]byte, frame.EthernetHeader, frame.EthernetHeader+len(ip)), ip...)
	var sent api.RawPacket
	send := func() {
		sent.Time = s.world.Now()
		g.Originate(frame.Frame{Data: b}, sent.Time)
	}
	if loop := s.world.Loop(); loop != nil && loop.Virtual() {
		return &sent, loop.Run(send)
	}
	send()
	return &sent, nil
}
