// SPDX-License-Identifier: Apache-2.0
// C++: exceptions across frames, threads and a signal's frame; what the runtime does beside them.
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <exception>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#ifdef STATIC
#define KIND "static C++: "
#else
#define KIND "dynamic C++: "
#endif

namespace {

void check(bool condition, const char *name)
{
	std::printf("%s" KIND "%s\n", condition ? "ok " : "FAIL ", name);
}

std::atomic<int> destroyed{0};

struct Counted {
	~Counted() { destroyed++; }
};

[[gnu::noinline]] int descend(int level)
{
	Counted counted;
	if (level == 0)
		throw std::runtime_error("from below");
	return descend(level - 1) + 1;
}

void across_frames()
{
	int caught = 0;

	destroyed = 0;
	for (int i = 0; i < 200; i++) {
		try {
			descend(49);
		} catch (const std::exception &error) {
			caught += error.what() == std::string("from below");
		}
	}
	check(caught == 200 && destroyed == 200 * 50, "an exception unwinds all frames");
}

void nested()
{
	std::string seen;

	try {
		try {
			descend(3);
		} catch (...) {
			std::throw_with_nested(std::logic_error("around it"));
		}
	} catch (const std::exception &error) {
		seen = error.what();
		try {
			std::rethrow_if_nested(error);
		} catch (const std::runtime_error &inner) {
			seen += std::string(" ") + inner.what();
		}
	}
	check(seen == "around it from below", "exceptions nest");
}

void across_threads()
{
	std::vector<std::future<void>> results;
	std::vector<std::thread> threads;
	std::atomic<int> inside{0};
	int caught = 0;

	for (int i = 0; i < 8; i++)
		results.push_back(std::async(std::launch::async, [i] { descend(i); }));
	for (auto &result : results) {
		try {
			result.get();
		} catch (const std::runtime_error &) {
			caught++;
		}
	}
	check(caught == 8, "an exception crosses threads");
	for (int i = 0; i < 4; i++)
		threads.emplace_back([&inside] {
			for (int round = 0; round < 200; round++) {
				try {
					descend(10);
				} catch (const std::runtime_error &) {
					inside++;
				}
			}
		});
	for (auto &thread : threads)
		thread.join();
	check(inside == 800, "threads throw at the same time");
}

struct Segfault {};

[[noreturn]] void throw_from_handler(int)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
	throw Segfault();
}

volatile int *volatile nowhere = nullptr;

[[gnu::noinline]] int read_nowhere()
{
	Counted counted;
	return *nowhere;
}

// Compiled with -fnon-call-exceptions: the unwinder goes through the frame that the kernel made.
void from_a_signal()
{
	int caught = 0;

	std::signal(SIGSEGV, throw_from_handler);
	destroyed = 0;
	for (int i = 0; i < 20; i++) {
		try {
			read_nowhere();
		} catch (const Segfault &) {
			caught++;
		}
	}
	std::signal(SIGSEGV, SIG_DFL);
	check(caught == 20 && destroyed == 20, "an exception unwinds a signal's frame");
}

void conditions()
{
	std::mutex mutex;
	std::condition_variable changed;
	int turn = 0;
	std::thread other([&] {
		for (int i = 0; i < 500; i++) {
			std::unique_lock lock(mutex);
			changed.wait(lock, [&] { return turn % 2 == 1; });
			turn++;
			changed.notify_one();
		}
	});

	for (int i = 0; i < 500; i++) {
		std::unique_lock lock(mutex);
		changed.wait(lock, [&] { return turn % 2 == 0; });
		turn++;
		changed.notify_one();
	}
	other.join();
	check(turn == 1000, "threads take turns");
}

thread_local std::unique_ptr<Counted> own;

void thread_local_destructors()
{
	destroyed = 0;
	std::thread([] { own = std::make_unique<Counted>(); }).join();
	check(destroyed == 1, "a thread's own objects are destroyed at its end");
}

} // namespace

int main()
{
	std::setvbuf(stdout, nullptr, _IOLBF, 0);
	across_frames();
	nested();
	across_threads();
	from_a_signal();
	conditions();
	thread_local_destructors();
}
