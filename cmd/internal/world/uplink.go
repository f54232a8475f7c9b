package world

import (
	"context"
	"fmt"

	"uswitch/cmd/internal/lab"
)

// wayOut is an uplink that is open.
type wayOut struct {
	// listen opens a published port and sets its close; nil where nothing can come in.
	listen func(*Published) error
}

// openWayOut opens what the plan asks for, under the name uplink, and points the default route there.
func (w *World) openWayOut(context.Context) error {
	if kind := w.plan.Uplink.Kind; kind != lab.UplinkNone {
		return fmt.Errorf("uplink %s: this build of uswitch has only none; try --uplink none", kind)
	}
	return nil
}
