package tap

import (
	"path/filepath"
	"sync"
)

// local is the Host that does everything itself, with the privileges of this process.
type local struct {
	records records
	names   namesDir
	buffers buffers
	gate    gate

	homes    homes
	stagings stagings
	moving   sync.Mutex // held while an interface is moved out of its staging namespace

	monitorMu sync.Mutex
	monitor   *linkMonitor // nil until the first watch
}

// New returns the Host that does everything here and now. It keeps its records under dir; an empty dir stands for
// DefaultDir. Nothing is made and nothing is checked before it is needed.
func New(dir string) (Host, error) { return NewWithNames(dir, netnsDir) }

// NewWithNames is New with another directory than that of "ip netns" for the names of namespaces: for whoever may not write
// there. The directory must be another one's of those who use it at the same time, or be mounted for its user alone.
func NewWithNames(dir, names string) (Host, error) {
	if dir == "" {
		dir = DefaultDir
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	return &local{records: records{dir: dir, etc: new(etcParent)}, names: namesDir(names), homes: homes{names: namesDir(names)}}, nil
}

// Close implements Host.
func (l *local) Close() error {
	l.monitorMu.Lock()
	if l.monitor != nil {
		l.monitor.close()
		l.monitor = nil
	}
	l.monitorMu.Unlock()
	l.gate.close()
	l.homes.close()
	return l.stagings.close()
}
