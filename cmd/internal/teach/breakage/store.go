package breakage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/teach/state"
)

// fileOf returns where it is kept what is broken in a lab.
func fileOf(lab string) string { return "broken-" + lab + ".json" }

// Save keeps what is broken in a directory.
func (b *Broken) Save(dir string) error {
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return state.Write(dir, fileOf(b.Lab), text)
}

// Forget forgets what was broken.
func (b *Broken) Forget(dir string) error { return os.Remove(filepath.Join(dir, fileOf(b.Lab))) }

// Load returns what is broken in a lab that is up, and nil if nothing is. What was broken in an earlier run of the lab went
// with it.
func Load(ctx context.Context, dir string, c *api.Client) (*Broken, error) {
	text, err := os.ReadFile(filepath.Join(dir, fileOf(c.Lab())))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	b := &Broken{}
	if err == nil {
		err = json.Unmarshal(text, b)
	}
	if err != nil {
		return nil, fmt.Errorf("what is broken in lab %s cannot be read: %w", c.Lab(), err)
	}
	var info api.Lab
	if err := c.Get(ctx, "/v1/lab", nil, &info); err != nil {
		return nil, err
	}
	if !info.Started.Equal(b.Started) {
		return nil, nil
	}
	return b, nil
}
