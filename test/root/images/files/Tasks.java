// SPDX-License-Identifier: Apache-2.0
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** What programs of the JVM do: threads, garbage, files, sockets, other processes. */
public class Tasks {
  public static void main(String[] args) throws Exception {
    threads();
    garbage();
    files();
    sockets();
    Process shell = new ProcessBuilder("sh", "-c", "echo from a shell").start();
    System.out.println("process: " + lines(shell).readLine());
    shell.waitFor();
    System.out.println("stream: " + LongStream.range(0, 10000).parallel().map(n -> n * n).sum());
    System.exit(3);
  }

  private static void threads() throws Exception {
    AtomicLong sum = new AtomicLong();
    var pool = Executors.newFixedThreadPool(16);
    for (int i = 0; i < 16; i++) pool.submit(() -> IntStream.range(0, 100000).forEach(n -> sum.incrementAndGet()));
    pool.shutdown();
    pool.awaitTermination(5, TimeUnit.MINUTES);
    System.out.println("threads: 16 summed " + sum);
  }

  private static void garbage() {
    List<byte[]> kept = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      byte[] piece = new byte[256 * 1024];
      if (i % 100 == 0) kept.add(piece);
    }
    System.out.println("collected: " + (kept.size() == 20 ? "yes" : "no"));
  }

  private static void files() throws Exception {
    Path path = Files.createTempFile("tasks", ".txt");
    Files.write(path, IntStream.range(0, 2000).mapToObj(n -> "line " + n).toList());
    System.out.println("file: " + Files.lines(path).count() + " lines");
    Files.delete(path);
  }

  private static void sockets() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Thread echo = new Thread(() -> {
        try (Socket socket = server.accept()) {
          socket.getInputStream().transferTo(socket.getOutputStream());
        } catch (java.io.IOException error) {
          error.printStackTrace();
        }
      });
      echo.start();
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.getLocalPort())) {
        socket.getOutputStream().write("echo\n".getBytes());
        socket.shutdownOutput();
        System.out.println("socket: " + new String(socket.getInputStream().readAllBytes()).strip());
      }
      echo.join();
    }
  }

  private static BufferedReader lines(Process process) {
    return new BufferedReader(new InputStreamReader(process.getInputStream()));
  }
}
