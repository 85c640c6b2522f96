package interop;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** An application that relies on Clave through Spring Security. */
@SpringBootApplication
public class App {
  public static void main(String[] arguments) {
    System.setProperty("server.port", System.getenv("PORT"));
    SpringApplication.run(App.class, arguments);
  }
}
