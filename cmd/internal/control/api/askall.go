package api

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// AnswerTime is how long a lab may take to answer where several are asked.
const AnswerTime = time.Second

// Reply is what one of several labs has said, or why it has not.
type Reply[T any] struct {
	Lab  *Client
	Said T
	Err  error
}

// AskAll asks all labs that are up the same, side by side, and returns their answers in the order of their names. One that is
// stopped, or too busy, is waited for no longer than AnswerTime, and keeps nobody from hearing of the others.
func AskAll[T any](ctx context.Context, ask func(context.Context, *Client) (T, error)) []Reply[T] {
	labs := Up()
	answers := make([]Reply[T], len(labs))
	var asking sync.WaitGroup
	for i, lab := range labs {
		asking.Go(func() {
			ctx, stop := context.WithTimeout(ctx, AnswerTime)
			defer stop()
			said, err := ask(ctx, lab)
			if errors.Is(err, context.DeadlineExceeded) {
				err = fmt.Errorf("lab %s does not answer within %v: its process is stopped, or too busy", lab.Lab(), AnswerTime)
			}
			answers[i] = Reply[T]{lab, said, err}
		})
	}
	asking.Wait()
	return answers
}
