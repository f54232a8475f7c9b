package server

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/nat"
	"uswitch/switch/frame"
)

// rawSocket hears what is for it on behalf of a client.
type rawSocket chan api.RawPacket

var _ nat.Socket = rawSocket(nil)

// Deliver implements nat.Socket. When a frame was read from its card can be a little before the question was sent that it
// answers: the reader looks at the clock now and then only.
func (s rawSocket) Deliver(f frame.Frame, _ time.Time) {
	select {
	case s <- api.RawPacket{Time: time.Now(), Packet: append([]byte(nil), f.Data[frame.EthernetHeader:]...)}:
	default:
	}
}

// openRaw opens a socket for what answers what the client will send ?to an address, with ?proto icmp or udp, and streams it.
func (s *Server) openRaw(w http.ResponseWriter, r *http.Request) {
	opened, heard, release, err := s.rawFor(r.URL.Query())
	if err != nil {
		fail(w, err)
		return
	}
	defer release()
	out, done, err := s.stream(w, ndjson)
	if err != nil {
		fail(w, err)
		return
	}
	defer done()
	lines := json.NewEncoder(out)
	for err := lines.Encode(opened); err == nil; {
		select {
		case <-r.Context().Done():
			return
		case p := <-heard:
			err = lines.Encode(p)
		}
	}
}

// rawFor finds the source address and a number that is free.
func (s *Server) rawFor(q url.Values) (opened api.RawOpened, heard rawSocket, release func(), err error) {
	to, err := netip.ParseAddr(q.Get("to"))
	proto := map[string]uint8{"icmp": frame.ProtoICMP, "udp": frame.ProtoUDP}[q.Get("proto")]
	if err != nil || !to.Is4() || proto == 0 {
		return opened, nil, nil, &api.Error{Code: http.StatusBadRequest, Message: "want to=ADDRESS and proto=icmp or udp"}
	}
	g, ok := s.world.Gateway(), false
	if opened.Source, ok = g.Source(to); !ok {
		return opened, nil, nil, &api.Error{Code: http.StatusUnprocessableEntity, Message: "connect: Network is unreachable"}
	}
	heard = make(rawSocket, api.RawQueue)
	for range 64 {
		opened.Number = uint16(1024 + rand.IntN(1<<16-1024))
		if release, err = g.Open(proto, opened.Number, heard); err == nil {
			return opened, heard, release, nil
		}
	}
	return opened, nil, nil, err
}

// sendRaw sends an IP packet from the gateway, from one of its own addresses, and says when.
func (s *Server) sendRaw(r *http.Request) (any, error) {
	var p api.RawPacket
	if err := decode(r, &p); err != nil {
		return nil, err
	}
	ip, err := frame.ParseIPv4(p.Packet)
	if err != nil {
		return nil, &api.Error{Code: http.StatusBadRequest, Message: "want an IPv4 packet: " + err.Error()}
	}
	g := s.world.Gateway()
	if own, ok := g.Source(ip.Src()); !ok || own != ip.Src() {
		return nil, &api.Error{Code: http.StatusUnprocessableEntity, Message: fmt.Sprintf("%v is not an address of the gateway", ip.Src())}
	}
	b := append(make([]byte, frame.EthernetHeader, frame.EthernetHeader+len(ip)), ip...)
	now := time.Now()
	g.Originate(frame.Frame{Data: b}, now)
	return api.RawPacket{Time: now}, nil
}
