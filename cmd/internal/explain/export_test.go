package explain

import "uswitch/sim"

// LabOf returns the lab that a simulated world is.
func LabOf(w *sim.World) *Lab {
	o := w.Origin()
	l := &Lab{Now: o.Now, Switches: o.Switches, Gateway: o.Gateway, Hosts: o.Hosts, Uplink: Uplink{Kind: None}}
	if i := w.Internet(); i != nil {
		l.Uplink = Uplink{Kind: Sim, Internet: i.Config(), NextHop: i.NextHop()}
	}
	return l
}
