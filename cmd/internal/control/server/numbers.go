package server

import (
	"sync"

	"uswitch/cmd/internal/control/api"
	"uswitch/tap"
)

// numbers are those that the kernel gives to devices and, as each namespace sees them, to other namespaces. A device keeps
// its index, which is not used again after it; a namespace keeps its number, and the lowest free one goes to the next
// (idr_alloc in net/core/net_namespace.c). The zero value is ready.
type numbers struct {
	mu         sync.Mutex
	last       int
	devices    map[string]int
	namespaces map[tap.ID]int
}

// assign numbers the devices that are there now, and forgets those that were.
func (n *numbers) assign(rows []device) {
	n.mu.Lock()
	defer n.mu.Unlock()
	devices, namespaces := map[string]int{}, map[tap.ID]int{}
	taken := map[int]bool{}
	for _, row := range rows {
		if id, known := n.namespaces[row.namespace]; known && row.Kind == api.KindVeth {
			namespaces[row.namespace], taken[id] = id, true
		}
	}
	for i := range rows {
		row := &rows[i]
		index, known := n.devices[row.Name]
		if !known {
			n.last++
			index = n.last
		}
		devices[row.Name], row.Index = index, index
		if row.Kind != api.KindVeth {
			continue
		}
		if _, known := namespaces[row.namespace]; !known {
			id := 0
			for taken[id] {
				id++
			}
			namespaces[row.namespace], taken[id] = id, true
		}
		row.NetnsID = namespaces[row.namespace]
	}
	n.devices, n.namespaces = devices, namespaces
}
