package server

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// frames streams what passes at ?device=NAME, which is also a host, for its cable, or any, or gateway.
func (s *Server) frames(w http.ResponseWriter, r *http.Request) {
	at, err := s.ear(r.URL.Query().Get("device"))
	if err != nil {
		fail(w, r, err)
		return
	}
	ring := trace.NewRing(api.QueueEvents, captureBytes, 0)
	s.follow(w, r, ndjson, ring, nil, func(out io.Writer) (trace.Sink, error) { return frameSink{at, json.NewEncoder(out)}, nil })
}

// ear makes a listener for a device.
func (s *Server) ear(name string) (*ear, error) {
	answer, err := s.devices(nil)
	if err != nil {
		return nil, err
	}
	e := &ear{device: name, bridges: map[string]api.Device{}, ports: map[[2]string]api.Device{}, host: s.world.Host(name) != nil}
	uplink := s.world.Plan().Uplink.Name()
	found := name == api.AnyDevice || name == api.GatewayDevice || e.host
	for _, d := range answer.([]api.Device) {
		found = found || d.Name == name && d.Kind != api.KindLoopback
		switch d.Kind {
		case api.KindBridge:
			e.bridges[d.Name] = d
		case api.KindVeth:
			e.ports[[2]string{d.Master, d.Port}] = d
			if d.Master == "" { // an interface of its own, on which there is nothing but the cable
				e.bridges[d.Name] = d
			}
		case api.KindEther, api.KindNone:
			if d.Name == uplink {
				e.uplink = d
			} else {
				e.bridges[d.Name] = d
			}
		}
	}
	if !found {
		return nil, refuse(http.StatusNotFound, fmt.Errorf("%s: No such device exists", name))
	}
	return e, nil
}

// ear hears the frames at one device, or at several.
type ear struct {
	device  string
	host    bool // device is the name of a host
	bridges map[string]api.Device
	ports   map[[2]string]api.Device // by network and host
	uplink  api.Device
}

// hear says at which device an event's frame can be heard, and which way it goes there: in through a port, into the bridge
// from the ports or from the gateway, out through a port.
func (l *ear) hear(e *trace.Event) (d api.Device, direction string, ok bool) {
	port, isPort := l.ports[[2]string{e.Where, e.Port}]
	bridge, isBridge := l.bridges[e.Where]
	eth, _ := frame.ParseEthernet(e.Frame.Data)
	switch {
	case e.Hook == trace.Ingress && isPort:
		return port, towards(eth, port), l.wants(port, false)
	case e.Hook == trace.Egress && e.Verdict == trace.Accept && isPort:
		return port, api.DirectionOut, l.wants(port, false)
	case e.Hook == trace.Bridge && e.Reason != trace.ReservedGroup && isBridge:
		direction = towards(eth, bridge)
		if eth != nil && eth.Src() == bridge.MAC {
			direction = api.DirectionOut
		}
		return bridge, direction, l.wants(bridge, direction == api.DirectionOut || e.Verdict == trace.Local || e.Local)
	case e.Where == l.uplink.Name && e.Hook == trace.Ingress:
		return l.uplink, api.DirectionIn, l.wants(l.uplink, true)
	case e.Where == l.uplink.Name && e.Hook == trace.Egress && e.Verdict == trace.Accept:
		return l.uplink, api.DirectionOut, l.wants(l.uplink, true)
	}
	return d, "", false
}

// wants says whether a device is listened to; ours says whether the gateway itself gets the frame there, or sends it. As in
// Linux, whoever listens at a bridge hears what goes from port to port too (it is promiscuous then); whoever listens
// everywhere does not.
func (l *ear) wants(d api.Device, ours bool) bool {
	switch l.device {
	case api.AnyDevice:
		return d.Kind != api.KindBridge || ours
	case api.GatewayDevice:
		return ours
	case d.Name:
		return true
	}
	return l.host && l.device == d.Host
}

func towards(eth frame.Ethernet, d api.Device) string {
	switch {
	case eth == nil || eth.Dst() == d.MAC:
		return api.DirectionIn
	case eth.Dst().IsBroadcast():
		return api.DirectionBroadcast
	case eth.Dst().IsGroup():
		return api.DirectionMulticast
	}
	return api.DirectionOther
}

// frameSink writes what an ear hears.
type frameSink struct {
	at  *ear
	out *json.Encoder
}

// Event implements trace.Sink.
func (s frameSink) Event(e *trace.Event) error {
	d, direction, ok := s.at.hear(e)
	if !ok {
		return nil
	}
	e.Frame.FinishChecksum()
	return s.out.Encode(api.Frame{Time: e.Time, Device: d.Name, Index: d.Index, Direction: direction, IP: e.IP, Data: e.Frame.Data})
}

// Lost implements trace.Sink.
func (s frameSink) Lost(n uint64) error { return s.out.Encode(api.Frame{Lost: n}) }

// Idle implements trace.Sink; nothing waits here.
func (s frameSink) Idle(time.Time) error { return nil }

// Flush implements trace.Sink; nothing waits here.
func (s frameSink) Flush() error { return nil }
