package plan

import (
	"github.com/compose-spec/compose-go/v2/types"
)

// rights reads what a service's programs may do.
func (b *builder) rights(service types.ServiceConfig, at path) (r Rights) {
	r = Rights{User: service.User, Groups: service.GroupAdd, CapAdd: service.CapAdd, CapDrop: service.CapDrop,
		Privileged: service.Privileged, ReadOnly: service.ReadOnly}
	for _, option := range service.SecurityOpt {
		if !r.SecurityOption(option) {
			b.warn(b.line(at.to("security_opt")), "security_opt: %s: not acted on (%s)", clip(option, 60), service.Name)
		}
	}
	for _, name := range sortedKeys(service.Ulimits) {
		l := Limit{Name: name, Soft: int64(service.Ulimits[name].Soft), Hard: int64(service.Ulimits[name].Hard)}
		if single := service.Ulimits[name].Single; single != 0 {
			l.Soft, l.Hard = int64(single), int64(single)
		}
		r.Limits = append(r.Limits, l)
	}
	if err := r.Verify(); err != nil {
		b.wrong(at, "%v", err)
	}
	return r
}
